(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const PRINT_WIDTH = 680;
  // Colours of text, page and fine lines come from the page's theme; figures name stand-ins.
  const standIns = { "#010101": "--ink", "#fefefe": "--card", "#030303": "--grid" };
  const config = { displayModeBar: false, displaylogo: false, doubleClick: false, responsive: true };

  function themed(text) {
    const style = getComputedStyle(root);
    return Object.entries(standIns).reduce(
      (done, [from, name]) => done.replaceAll(from, style.getPropertyValue(name).trim()), text);
  }

  function draw(width) {
    const drawn = [...document.querySelectorAll(".drawing")].map((place) => {
      const figure = JSON.parse(themed(document.getElementById(place.dataset.figure).textContent));
      if (width) figure.layout.width = width;
      return Plotly.react(place, figure.data, figure.layout, config);
    });
    return Promise.all(drawn);
  }

  // A frame without an address of its own cannot follow "#section".
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  });

  const contents = document.querySelector("nav details");
  const wide = window.matchMedia("(min-width: 68rem)");
  const unfold = () => { if (contents) contents.open = wide.matches; };
  unfold();
  wide.addEventListener("change", unfold);

  dark.addEventListener("change", () => draw());
  window.addEventListener("beforeprint", () => { root.dataset.print = ""; draw(PRINT_WIDTH); });
  window.addEventListener("afterprint", () => { delete root.dataset.print; draw(); });
  draw().then(() => { root.dataset.drawn = ""; });
})();
