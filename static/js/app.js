// Menus, dialogs, theme, copying and drop zones. Every page works without these files.

const root = document.documentElement;

const toast = (text, tone = "good") =>
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone } }));

function toggleTheme() {
  const chosen = root.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  // A cookie, so that the server draws the next page in it and nothing flashes in late.
  document.cookie = `evalhub_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
}

async function copy(button) {
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy || location.href;
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    // Browsers allow copying only on HTTPS and on this machine's own address.
    toast("The browser does not allow copying here. Select the text and copy it.", "bad");
  }
}

function openDialog(trigger, event) {
  const dialog = document.getElementById(trigger.dataset.dialog);
  if (!dialog || dialog.open) return;
  event.preventDefault(); // a link to the page with the same form is what it is without script
  trigger.closest("details.menu")?.removeAttribute("open");
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const found = (selector) => event.target.closest(selector);
  const opener = found("[data-dialog]");
  if (opener) openDialog(opener, event);
  if (found("[data-close-dialog]")) found("dialog")?.close();
  if (found("[data-theme-toggle]")) toggleTheme();
  const copier = found("[data-copy], [data-copy-from]");
  if (copier) copy(copier);
});

// A menu closes when anything outside it, or one of its items, is used.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".menu__item")) menu.open = false;
  }
});
document.addEventListener("focusin", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

function nameFiles(input) {
  const place = input.closest(".dropzone")?.querySelector("[data-file-name]");
  if (!place) return;
  const size = (n) => (n < 1000 ? `${n} bytes` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`);
  place.textContent = [...input.files].map((file) => `${file.name}, ${size(file.size)}`).join("; ");
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".dropzone input[type=file]")) nameFiles(event.target);
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.(".dropzone");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
    const input = zone.querySelector("input[type=file]");
    if (kind === "drop" && input && event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}
