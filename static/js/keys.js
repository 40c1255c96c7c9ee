// The keyboard map. Single keys are off in fields, in dialogs, with a modifier, and when turned off
// in the list of shortcuts (WCAG 2.1.4).

const $ = (selector, within = document) => within.querySelector(selector);
const FIELDS = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
const GO_FOR_MS = 900;
let goUntil = 0;

function stored() {
  try {
    return localStorage.getItem("shortcuts");
  } catch {
    return null;
  }
}
let off = stored() === "off";

function step(by) {
  const rows = [...document.querySelectorAll("a.row-link")].filter((row) => !row.closest(".split__detail"));
  const focused = rows.indexOf(document.activeElement);
  const from = focused >= 0 ? focused : rows.findIndex((row) => row.closest("tr.is-open"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, from + by))];
  if (by > 0 && from >= 0 && next === rows[from]) $("[data-more]")?.click(); // the rows after the last one
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function escape() {
  const menu = $("details.menu[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
  } else {
    $("[data-key=Escape]")?.click();
  }
}

// Checks the focused row, or goes to where rows can be checked with this one checked.
function select() {
  const row = document.activeElement.closest("tr");
  const box = row && $("input[type=checkbox]", row);
  const link = row && $("a[data-selects]");
  const number = row && $("a.row-link", row)?.pathname.split("/").pop();
  if (box) box.click();
  else if (link && number) {
    const search = new URLSearchParams(location.search);
    search.set("numbers", number);
    location.assign(`${link.pathname}?${search}`);
  }
}

const actions = {
  "/": () => $("main input[type=search]")?.focus(),
  "?": () => $("#shortcuts")?.showModal(),
  j: () => step(1),
  k: () => step(-1),
  x: select,
  g: () => { goUntil = Date.now() + GO_FOR_MS; },
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && key === "Enter" && target.matches("textarea")) {
    event.preventDefault();
    target.form?.requestSubmit();
    return;
  }
  if ($("dialog[open]")?.matches(":modal")) return;
  if (key === "Escape") {
    if (target.matches("input[type=search]") && !target.value) target.blur();
    if (!target.closest(FIELDS) || $("details.menu[open]")) escape();
    return;
  }
  if (off || event.ctrlKey || event.metaKey || event.altKey || target.closest(FIELDS)) return;
  if (Date.now() < goUntil) {
    goUntil = 0;
    const link = /^[a-z]$/.test(key) && $(`a[data-go="${key}"]`);
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  const act = actions[key] ?? (/^[a-z]$/.test(key) && $(`[data-key="${key}"]`) ? () => $(`[data-key="${key}"]`).click() : null);
  if (act) {
    event.preventDefault();
    act();
  }
});

for (const box of document.querySelectorAll("[data-shortcuts-toggle]")) {
  box.checked = !off;
  box.addEventListener("change", () => {
    off = !box.checked;
    try {
      localStorage.setItem("shortcuts", off ? "off" : "on");
    } catch {
      // Storage can be forbidden; the choice then lasts for this page.
    }
  });
}
