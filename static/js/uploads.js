// How far an upload is. htmx sends the form; its [data-upload] holds a bar and a text, hidden till then.

const shown = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const size = (bytes) =>
  bytes < 1e6 ? `${shown.format(bytes / 1e3)} kB` : bytes < 1e9 ? `${shown.format(bytes / 1e6)} MB` : `${shown.format(bytes / 1e9)} GB`;

const placeIn = (form) => form.querySelector?.("[data-upload]");
const bytesOf = (form) => [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);

document.addEventListener("htmx:xhr:progress", (event) => {
  const { loaded, total } = event.detail;
  const place = placeIn(event.target);
  if (!place || !total || total < bytesOf(event.target)) return; // that is the answer coming back
  const share = loaded / total;
  place.hidden = false;
  place.querySelector("rect[class~=f-accent]").setAttribute("width", 1000 * share);
  place.querySelector("[role=progressbar]").setAttribute("aria-valuenow", share.toFixed(2));
  place.querySelector("[data-upload-text]").textContent =
    loaded < total ? `Sending: ${Math.floor(100 * share)}%, ${size(loaded)} of ${size(total)}` : "Sent. The file is being looked at.";
});
document.addEventListener("htmx:sendError", (event) => {
  const place = placeIn(event.target);
  if (place) place.hidden = true;
});
document.addEventListener("htmx:responseError", (event) => {
  const place = placeIn(event.target);
  if (place) place.hidden = true;
});
