"""What a finished page keeps to, measured in the browser: axe-core, a quiet console, no shift,
nothing that holds up the first paint, little weight, no sideways scroll.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page, Request

WIDE, PHONE = (1440, 1000), (390, 844)
SCHEMES = ("light", "dark")
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules of axe-core that look at colours
MOST_BYTES = 150_000  # HTML, CSS, JavaScript and fonts of one page, as they are transferred
MOST_SHIFT = 0.01

# Runs before any script of the page, and outside its content policy.
WATCH = """
(() => {
  const seen = (window.seenByTests = { shift: 0, moved: [], refused: [] });
  const named = (node) => {
    const at = node?.nodeType === 1 ? node : node?.parentElement;
    return at ? [at.localName, at.id && "#" + at.id, ...at.classList].filter(Boolean).join(".") : "?";
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      seen.shift += entry.value;
      seen.moved.push(...entry.sources.map((one) => named(one.node)));
    }
  }).observe({ type: "layout-shift", buffered: true });
  document.addEventListener("securitypolicyviolation", (event) =>
    seen.refused.push(`the content policy refuses ${event.effectiveDirective} of ${event.blockedURI}`));
})();
"""

# Sizes are those of bodies as they came, so what is in the browser's cache counts as well.
LOADED = """
() => {
  const [page] = performance.getEntriesByType("navigation");
  const resources = performance.getEntriesByType("resource");
  const weighed = resources.filter((one) => ["link", "css", "script"].includes(one.initiatorType));
  const scripts = [...document.scripts].filter((one) => one.src);
  return {
    ...window.seenByTests,
    html: page.encodedBodySize,
    bytes: [page, ...weighed].reduce((sum, one) => sum + one.encodedBodySize, 0),
    unmeasured: [page, ...weighed].filter((one) => !one.encodedBodySize).map((one) => one.name),
    blocking: scripts.filter((one) => !one.defer && one.type !== "module").map((one) => one.src),
  };
}
"""
SETTLED = "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
# axe-core lets an id stand twice unless a label names it; scripts and swaps do not.
TWICE = """
() => [...document.querySelectorAll("[id]")].map((one) => one.id)
  .filter((id, at, all) => all.indexOf(id) !== at)
"""
UNMARKED = """
() => document.querySelector("[data-go]") && !document.querySelector(".sidebar [aria-current=page]")
"""
AXE = """
(options) => axe.run({ resultTypes: ["violations"], ...options }).then((answer) => answer.violations)
"""


@dataclass
class Noise:
    """What went wrong beside the page itself: console and script errors, failed requests."""

    said: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.said.append(f"script error: {error}"))
        page.on("console", self._console)
        page.on("requestfailed", self._failed)

    def taken(self) -> list[str]:
        """What was said since the last time."""
        said, self.said = self.said, []
        return said

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        address = message.location.get("url", "")
        # Whether a page may itself be an answer of 4xx is for its test to say.
        itself = message.page is not None and message.page.url == address
        if not (itself and message.text.startswith("Failed to load resource")):
            self.said.append(f"console error: {message.text} {address}")

    def _failed(self, request: Request) -> None:
        # The page that is left ends its polls.
        if request.failure != "net::ERR_ABORTED":
            self.said.append(f"request failed: {request.url} ({request.failure})")


def faults(page: Page, name: str, noise: Noise) -> list[str]:
    """What the page that is open does not keep to, each as "name, theme: rule and place"."""
    _settle(page)
    loaded = page.evaluate(LOADED)
    found: list[str] = [*loaded["refused"], *noise.taken()]
    if loaded["shift"] >= MOST_SHIFT:
        found.append(f"a layout shift of {loaded['shift']:.3f}: {', '.join(loaded['moved'])}")
    if loaded["bytes"] >= MOST_BYTES or loaded["unmeasured"]:
        found.append(
            f"{loaded['bytes']:,} bytes, {loaded['html']:,} of them HTML {loaded['unmeasured']}"
        )
    found += [f"the first paint waits for {script}" for script in loaded["blocking"]]
    found += [f"the id {twice} stands twice" for twice in page.evaluate(TWICE)]
    if page.evaluate(UNMARKED):
        found.append("the sidebar marks no place")
    for width, height in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} px wide at {width}")
    in_themes = [f"{name}, {scheme}: {fault}" for scheme in SCHEMES for fault in _axe(page, scheme)]
    page.emulate_media(color_scheme="light")
    return [f"{name}: {fault}" for fault in found + noise.taken()] + in_themes


def _settle(page: Page) -> None:
    """Wait until what the page asks for by itself is there and drawn."""
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(50)
    page.wait_for_function(SETTLED)


def _axe(page: Page, scheme: str) -> list[str]:
    """What axe-core finds: with all its rules in light, and with those on colours again in dark,
    where nothing else differs. It is evaluated, which no content policy stops.
    """
    dark = scheme == "dark"
    page.emulate_media(color_scheme="dark" if dark else "light")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": COLOURS} if dark else {}
    return [
        f"{rule['id']} at {node['target'][0]}: {' '.join(node['failureSummary'].split())}"
        for rule in page.evaluate(AXE, options)
        for node in rule["nodes"]
    ]
