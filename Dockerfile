FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.lock .
RUN pip install --quiet --require-hashes -r requirements.lock
COPY . .
RUN pip install --quiet --no-build-isolation --no-deps . ./client && useradd --create-home evalhub \
 && mkdir /data && chown evalhub /data
USER evalhub
ENV EVALHUB_HOME=/data MALLOC_ARENA_MAX=2
VOLUME /data
EXPOSE 8000
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
