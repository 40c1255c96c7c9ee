// Selecting rows: select all, shift ranges, the count, and buttons that need a selection.

let last = null;

const boxes = (scope) => [...scope.querySelectorAll("input[data-select]")];
const scopeOf = (element) => element.closest("[data-selection]") ?? element.closest("form, table");

function refresh(scope) {
  const all = boxes(scope);
  const chosen = all.filter((box) => box.checked).length;
  const total = chosen + (Number(scope.dataset.elsewhere) || 0); // with those of other pages
  const head = scope.querySelector("input[data-select-all]");
  if (head) {
    head.checked = all.length > 0 && chosen === all.length;
    head.indeterminate = chosen > 0 && chosen < all.length;
  }
  for (const place of scope.querySelectorAll("[data-selected-count]")) {
    place.textContent = `${total.toLocaleString("en")} selected`;
  }
  for (const button of scope.querySelectorAll("[data-needs-selection]")) {
    button.disabled = total < (Number(button.dataset.needsSelection) || 1);
  }
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("input[data-select]");
  if (!box) return;
  const all = boxes(scopeOf(box));
  const from = all.indexOf(last);
  const to = all.indexOf(box);
  if (event.shiftKey && from >= 0 && from !== to) {
    for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    refresh(scopeOf(box));
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const target = event.target;
  const scope = scopeOf(target);
  if (!scope) return;
  if (target.matches("input[data-select-all]")) {
    for (const box of boxes(scope)) box.checked = target.checked;
  }
  if (target.matches("input[data-select-all], input[data-select]")) refresh(scope);
});

// The address always says what the list shows; searching while typing changes it behind the link.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-selects]");
  if (link) link.search = location.search;
});

const refreshAll = (within) => {
  for (const scope of within.querySelectorAll("[data-selection]")) refresh(scope);
};
refreshAll(document);
document.addEventListener("htmx:afterSettle", () => refreshAll(document));
