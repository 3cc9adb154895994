(() => {
  "use strict";
  // Until Plotly is there nothing is drawn; who asks before is served by the first drawing of all.
  const library = unpacked("drawing-library").then((text) => {
    document.head.appendChild(Object.assign(document.createElement("script"), { textContent: text }));
  });
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 40rem)");
  const PRINT_WIDTH = 680;
  const SAVED_WIDTH = 900;
  const LINE_HEIGHT = 17;
  // Colours of text, page and fine lines come from the page's theme; figures name stand-ins.
  const standIns = { "#010101": "--ink", "#fefefe": "--card", "#030303": "--grid" };
  // A drawing that is saved is for white paper.
  const onPaper = { "--ink": "#1b2127", "--card": "#ffffff", "--grid": "#dfe1e0" };
  const config = { displayModeBar: false, displaylogo: false, doubleClick: false, responsive: true };

  function read(name, colourOf) {
    const text = Object.entries(standIns).reduce(
      (done, [from, to]) => done.replaceAll(from, colourOf(to)), document.getElementById(name).textContent);
    return JSON.parse(text);
  }

  // Names do not fit beside a narrow picture: the legend has them.
  function narrowed(figure) {
    const stays = (one) => one.name !== "end";
    if (!(figure.layout.annotations || []).some((one) => !stays(one))) return figure;
    figure.layout.annotations = figure.layout.annotations.filter(stays);
    figure.layout.shapes = (figure.layout.shapes || []).filter(stays);
    figure.layout.margin.r = 12;
    for (const trace of figure.data) if (trace.meta === "track") trace.showlegend = true;
    return figure;
  }

  // Breaks a title before its scale in parentheses, else its longest line at the space nearest the middle.
  function broken(text) {
    if (/[^>] \([^()]*\)$/.test(text)) return text.replace(/ (\([^()]*\))$/, "<br>$1");
    const lines = text.split("<br>");
    const longest = lines.reduce((one, two) => (two.length > one.length ? two : one));
    const far = (place) => Math.abs(place - longest.length / 2);
    const spaces = [...longest.matchAll(/ /g)].map((found) => found.index).sort((one, two) => far(one) - far(two));
    if (!spaces.length) return text;
    const halves = `${longest.slice(0, spaces[0])}<br>${longest.slice(spaces[0] + 1)}`;
    return lines.map((line) => (line === longest ? halves : line)).join("<br>");
  }

  // There a title that is too long takes more lines, and of ticks that touch only every second one stays.
  async function fitted(place) {
    const box = (node) => node.getBoundingClientRect();
    const { xaxis } = place.layout;
    const outside = () => {
      const title = place.querySelector(".xtitle");
      return title && box(title).right > box(place).right;
    };
    for (let i = 0; i < 3 && outside(); i++) {
      // Its line comes on top: in a lower picture rows would lose their names.
      const height = place.layout.height + LINE_HEIGHT;
      place.style.height = `${height}px`;
      await Plotly.relayout(place, { "xaxis.title.text": broken(xaxis.title.text), height });
    }
    const touching = () => [...place.querySelectorAll(".xtick text")].map(box).sort((a, b) => a.left - b.left)
      .some((one, i, all) => i > 0 && one.left < all[i - 1].right + 4);
    const second = (values) => values.filter((_, i) => i % 2 === 0);
    while (xaxis.ticktext && xaxis.ticktext.length > 2 && touching())
      await Plotly.relayout(place,
        { "xaxis.tickvals": second(xaxis.tickvals), "xaxis.ticktext": second(xaxis.ticktext) });
  }

  function legendRows(figure) {
    if (figure.layout.showlegend === false) return 0;
    const entries = figure.data.filter((trace) => trace.name && trace.showlegend !== false);
    return Math.ceil(entries.length * Math.max(0, ...entries.map((one) => 60 + 7 * one.name.length)) / 640);
  }

  function drawOne(place, width) {
    if (!window.Plotly) return Promise.resolve();
    const style = getComputedStyle(root);
    const figure = read(place.dataset.figure, (name) => style.getPropertyValue(name).trim());
    if (width) figure.layout.width = width;
    else if (narrow.matches) narrowed(figure);
    place.style.height = `${figure.layout.height}px`;
    const drawn = Plotly.react(place, figure.data, figure.layout, config);
    return narrow.matches && !width ? drawn.then(() => fitted(place)) : drawn;
  }

  function draw(width) {
    // What is hidden has no width to draw by; who shows it asks for it.
    const shown = [...document.querySelectorAll(".drawing")].filter((place) => !place.closest(".whatif[hidden]"));
    return Promise.all(shown.map((place) => drawOne(place, width)));
  }

  function show(figure, chosen) {
    const place = figure.querySelector(".drawing");
    place.dataset.figure = chosen.value;
    place.setAttribute("aria-label", chosen.dataset.description);
    for (const note of figure.querySelectorAll(".note")) note.hidden = note.dataset.of !== chosen.value;
    return place;
  }

  for (const choices of document.querySelectorAll(".choices")) {
    choices.hidden = false;
    // A browser may remember what was chosen before the page was loaded anew.
    show(choices.closest("figure"), choices.querySelector(":checked"));
    choices.addEventListener("change", (event) => drawOne(show(choices.closest("figure"), event.target)));
  }

  // A table in a closed fold has no size until it is opened.
  const sizes = new ResizeObserver((seen) => {
    for (const { target } of seen)
      target.previousElementSibling.toggleAttribute("data-more", target.scrollWidth > target.clientWidth + 1);
  });
  for (const table of document.querySelectorAll(".scroll")) sizes.observe(table);

  // A frame without an origin, as MLflow's, lets nothing be saved.
  const framed = window.parent !== window && window.origin === "null";
  for (const save of document.querySelectorAll(".save")) {
    save.hidden = framed;
    save.addEventListener("click", (event) => {
      const format = event.target.dataset.save;
      if (!format) return;
      const figure = save.closest("figure");
      const name = figure.querySelector(".drawing").dataset.figure;
      const drawing = read(name, (colour) => onPaper[colour]);
      const above = 40 + 24 * legendRows(drawing);
      const height = drawing.layout.height + above;
      const title = { text: figure.querySelector("h3").textContent.replaceAll("<", "&lt;"), x: 0, xanchor: "left",
        xref: "paper", y: 1, yanchor: "top", yref: "container", pad: { t: 10 }, font: { size: 15 } };
      Object.assign(drawing.layout, { width: SAVED_WIDTH, height, title, paper_bgcolor: "#ffffff",
        margin: { ...drawing.layout.margin, t: above, b: 16, l: 16 } });
      Plotly.downloadImage(drawing, { format, width: SAVED_WIDTH, height, scale: format === "png" ? 2 : 1,
        filename: name.replace(/-data$/, "") });
    });
  }

  // Paper shows the first drawing of a choice and its table, whatever the screen shows.
  function paper(on) {
    for (const figure of document.querySelectorAll(".choice")) {
      const numbers = figure.querySelector(".numbers");
      if (on) numbers.dataset.open = numbers.open;
      numbers.open = on || numbers.dataset.open === "true";
      show(figure, figure.querySelector(on ? ".choices input" : ".choices :checked"));
    }
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

  // Other scripts change the data of a figure and say so.
  document.addEventListener("redraw", (event) => drawOne(event.target));
  document.addEventListener("submit", (event) => event.preventDefault());

  const contents = document.querySelector("nav details");
  const wide = window.matchMedia("(min-width: 68rem)");
  const unfold = () => { if (contents) contents.open = wide.matches; };
  unfold();
  wide.addEventListener("change", unfold);

  dark.addEventListener("change", () => draw());
  narrow.addEventListener("change", () => draw());
  window.addEventListener("beforeprint", () => { root.dataset.print = ""; paper(true); draw(PRINT_WIDTH); });
  window.addEventListener("afterprint", () => { delete root.dataset.print; paper(false); draw(); });
  library.then(() => draw()).then(() => { root.dataset.drawn = ""; });
})();
