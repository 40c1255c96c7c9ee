// Toasts: server messages, the "toast" event of HX-Trigger, and failures of requests.

const SHOWN_MS = 8000;
const SHOWN_WITH_BUTTON_MS = 20000;

// Successes leave by themselves unless someone is reading them; failures stay until dismissed.
function leaveLater(toast) {
  const shown = toast.querySelector("form") ? SHOWN_WITH_BUTTON_MS : SHOWN_MS;
  let timer = 0;
  const start = () => { timer = setTimeout(() => toast.remove(), shown); };
  const stop = () => clearTimeout(timer);
  for (const kind of ["mouseenter", "focusin"]) toast.addEventListener(kind, stop);
  for (const kind of ["mouseleave", "focusout"]) toast.addEventListener(kind, start);
  start();
}

const LEVELS = { good: "success", bad: "error", warn: "warning" };

function show(text, tone) {
  const level = LEVELS[tone] ?? tone;
  const known = document.querySelector(`template[data-toast="${CSS.escape(level)}"]`);
  const template = known ?? document.querySelector('template[data-toast="info"]');
  const place = document.getElementById(level === "error" ? "alerts" : "toasts");
  if (!template || !place || !text) return;
  const same = [...place.children].find((one) => one.textContent.trim() === text.trim());
  same?.remove(); // a poll that fails every second is one piece of news
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  place.append(toast);
  if (level !== "error") leaveLater(toast);
}

document.addEventListener("toast", (event) => {
  const detail = event.detail ?? {};
  show(String(detail.text ?? detail.value ?? ""), String(detail.tone ?? "good"));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast")?.remove();
});

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.getResponseHeader("HX-Trigger")?.includes('"toast"')) return; // the server said it better
  const id = xhr.getResponseHeader("X-Request-ID");
  const words = {
    401: "You are signed out. Reload the page to sign in.",
    403: "Your role in this project does not allow that.",
    404: "This no longer exists. Reload the page.",
    413: "The file or text is too large.",
    429: "Too many requests. Wait a moment and try again.",
    507: "The server's disk is full. Nothing was changed.",
  };
  const text = words[xhr.status] ?? (xhr.status >= 500 ? "Something went wrong on the server." : "The server refused that.");
  show(id && xhr.status >= 500 ? `${text} Request ID: ${id}` : text, "bad");
});
document.addEventListener("htmx:sendError", () => show("The server cannot be reached. Check the connection and try again.", "bad"));
document.addEventListener("htmx:timeout", () => show("The server took too long to answer. Try again.", "bad"));

for (const toast of document.querySelectorAll("#toasts > .toast")) leaveLater(toast);
