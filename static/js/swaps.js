// What happens around htmx's swaps: focus, the open row, the modal, titles, and quiet hidden tabs.

const SUFFIX = " · evalhub";

function retitle(within) {
  const titled = within.matches?.("[data-title]") ? within : within.querySelector?.("[data-title]");
  if (titled) document.title = titled.dataset.title + SUFFIX;
}
retitle(document);
document.querySelector("tr.is-open")?.scrollIntoView({ block: "nearest" });

// Polling rests in a hidden tab. A form or link that happens to be used there still works.
document.addEventListener("htmx:beforeRequest", (event) => {
  const trigger = event.detail.elt.getAttribute("hx-trigger") ?? "";
  const polled = !event.detail.requestConfig?.triggeringEvent && /\bevery\b/.test(trigger);
  if (document.hidden && polled) event.preventDefault();
});

function openRow(link) {
  const row = link.closest("tr");
  if (!row) return;
  for (const other of row.parentElement.querySelectorAll("tr.is-open")) {
    other.classList.remove("is-open");
    other.removeAttribute("aria-current");
  }
  row.classList.add("is-open");
  row.setAttribute("aria-current", "true");
  link.closest(".split")?.setAttribute("data-open", "");
}

document.addEventListener("htmx:afterSwap", (event) => {
  const { target, elt } = event.detail;
  const opened = event.detail.requestConfig?.elt;
  if (target.id === "modal") {
    if (target.childElementCount && !target.open) target.showModal();
    if (!target.childElementCount && target.open) target.close();
  }
  if (target.id === "detail") target.scrollTop = 0;
  if (target.id === "detail" && opened?.pathname) {
    const row = [...document.querySelectorAll("a.row-link")].find((link) => link.pathname === opened.pathname && !target.contains(link));
    if (row) openRow(row);
  }
  retitle(elt);
});
document.addEventListener("close-dialog", () => document.getElementById("modal")?.close());

// After a click or a submit the reader is taken to the heading of what came in; polls and typing
// in a search field leave the focus where it is.
document.addEventListener("htmx:afterSettle", (event) => {
  const { elt, requestConfig } = event.detail;
  const cause = requestConfig?.triggeringEvent?.type;
  if (cause !== "click" && cause !== "submit") return;
  const invalid = elt.querySelector?.("[aria-invalid=true]");
  const asked = elt.querySelector?.("[autofocus]"); // the one field of a question
  const heading = elt.querySelector?.("h1[tabindex='-1'], h2[tabindex='-1']");
  const place = invalid ?? asked ?? heading;
  place?.focus({ preventScroll: true });
  place?.scrollIntoView({ block: "nearest" });
});
