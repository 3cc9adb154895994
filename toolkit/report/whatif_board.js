// The sliders: what they say goes to whatIf, and what that says into the page.
(() => {
  "use strict";
  const board = document.getElementById("whatif-board");
  if (!board) return;

  // As toolkit.analysis.verdict_words: money and probabilities in words.
  const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const threeDigits = (amount) => Number(Math.abs(amount).toExponential(2));
  function inWords(amount) {
    const value = threeDigits(amount), sign = amount < 0 ? "−" : "";
    if (value < 100) return sign + String(value);
    for (const [scale, word] of [[1e12, " trillion"], [1e9, " billion"], [1e6, " million"]])
      if (value >= scale) return `${sign}${grouped(String(Number((value / scale).toPrecision(12))))}${word}`;
    return sign + grouped(value.toFixed(0));
  }
  function money(amount, currency) {
    const value = threeDigits(amount), sign = amount < 0 ? "−" : "";
    if (value >= 100) return `${inWords(amount)} ${currency}`;
    if (value === 0 || value >= 0.01) return `${sign}${value.toFixed(2)} ${currency}`;
    return `${sign}${value.toFixed(2 - Math.floor(Math.log10(value))).replace(/0+$/, "")} ${currency}`;
  }
  const chance = (share) => (share >= 0.995 ? "over .99" : share < 0.005 ? "under .01" : share.toFixed(2).replace(/^0/, ""));
  const filled = (text, words) => text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
  const bestOf = (names) => (names.length === 1 ? names[0] : `the best of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

  function sentence(model, found) {
    const { leader, second, ahead, margin, nonePays, loses, deep } = found;
    const name = loses ? (nonePays >= model.clear ? "none pays" : "perhaps none pays")
      : ahead <= margin ? "within the margin" : leader.best < model.clear ? "not sure"
        : nonePays !== null && nonePays > 1 - model.clear ? "hardly pays" : "clear";
    const first = filled(model.sentences[name], {
      leader: leader.name, second: second.name, ahead: money(ahead, model.currency), margin: money(margin, model.currency),
      loss: money(-leader.net[0], model.currency), earned: money(leader.net[0], model.currency),
      probability: chance(name.endsWith("pays") ? nonePays : leader.best),
    });
    if (!deep) return `${first} ${model.sentences["deep is not known"]}`;
    const sure = model.sure, answer = deep.probability >= sure ? "deep pays" : deep.probability <= 1 - sure ? "deep does not pay" : "deep is open";
    return `${first} ${filled(model.sentences[answer], {
      probability: chance(deep.probability), net: model.deep.length > 1 ? deep.track.name : "it",
      margin: money(margin, model.currency), others: bestOf(model.plain),
    })}`;
  }

  function show(model) {
    const { verdict, mapped } = whatIf.start(model);
    const fields = [...board.querySelectorAll("input[type=number]")];
    const slides = new Map(fields.map((field) => [field, document.getElementById(`${field.id}-slide`)]));
    const STEPS = 1000;
    const ends = (field) => [Number(field.dataset.low), Number(field.dataset.high)];
    const toAmount = (field, place) => {
      const [low, high] = ends(field), share = place / STEPS;
      const amount = low > 0 ? low * (high / low) ** share : low + (high - low) * share;
      return Number(amount.toPrecision(3));
    };
    const toPlace = (field) => {
      const [low, high] = ends(field), amount = Number(field.value);
      const share = low > 0 ? Math.log(amount / low) / Math.log(high / low) : (amount - low) / (high - low);
      return Math.round(STEPS * Math.min(1, Math.max(0, share)));
    };
    // Beyond the ends of a slider the page does not have the thresholds that would be chosen.
    const good = (field) => {
      const amount = Number(field.value), [low, high] = ends(field);
      return field.value !== "" && amount >= low && amount <= high;
    };

    function redraw(id, change) {
      const data = document.getElementById(`${id}-data`);
      if (!data) return;
      const figure = JSON.parse(data.textContent);
      change(figure);
      data.textContent = JSON.stringify(figure).replaceAll("<", "\\u003c");
      document.querySelector(`[data-figure="${id}-data"]`).dispatchEvent(new CustomEvent("redraw", { bubbles: true }));
    }

    function compute() {
      for (const field of fields) {
        const amount = Number(field.value);
        field.setAttribute("aria-invalid", String(!good(field)));
        const [low, high] = ends(field).map(inWords), label = field.labels[0].firstChild.textContent.trim();
        const words = !good(field) ? `${label}: from ${low} to ${high}; ` : amount >= 1e4 ? `${inWords(amount)}; ` : "";
        document.getElementById(`${field.id}-words`).textContent = words;
        const { unit } = field.dataset, said = good(field) ? `${inWords(amount)} ${unit}` : `not computed; from ${low} to ${high} ${unit}`;
        slides.get(field).setAttribute("aria-valuetext", said);
      }
      if (!fields.every(good)) {
        board.querySelector("[data-state]").textContent = fields.some((field) => field.value === "")
          ? "Not computed: a field holds no number; below is what stood before"
          : "Not computed: an amount is out of reach here, but not of toolkit report; below is what stood before";
        return;
      }
      const amounts = Object.fromEntries(fields.map((field) => [field.dataset.key, Number(field.value)]));
      const moved = fields.some((field) => Number(field.value) !== Number(field.dataset.likely));
      board.querySelector("[data-state]").textContent = moved ? "By the sliders" : "As declared";
      const found = verdict(amounts);
      board.querySelector("[data-sentence]").textContent = sentence(model, found);
      const { hybrid } = found, told = board.querySelector("[data-hybrid]");
      told.textContent = hybrid
        ? `Probability that ${hybrid.track.name} earns over ${money(found.margin, model.currency)} a year more than every other: ${chance(hybrid.probability)}.`
        : "";
      told.dataset.value = hybrid ? hybrid.probability : "";
      for (const track of found.tracks) {
        const row = board.querySelector(`tr[data-track="${CSS.escape(track.name)}"]`);
        const put = (name, text, value) => Object.assign(row.querySelector(`[data-of=${name}]`), { textContent: text })
          .setAttribute("data-value", value);
        put("net", money(track.net[0], model.currency), track.net[0]);
        put("low", money(track.low, model.currency), track.low);
        put("high", money(track.high, model.currency), track.high);
        put("behind", track === found.leader ? "" : money(found.leader.net[0] - track.net[0], model.currency), found.leader.net[0] - track.net[0]);
        put("best", chance(track.best), track.best);
        put("regret", money(track.regret, model.currency), track.regret);
        put("rung", String(track.rung), track.rung);
      }
      const largest = Math.max(...found.tracks.flatMap((one) => [Math.abs(one.low), Math.abs(one.high)]));
      const [unit, word] = [[1e9, "billion "], [1e6, "million "], [1e3, "thousand "]].find(([scale]) => largest >= 10 * scale) || [1, ""];
      redraw("whatif-net-value", (figure) => {
        const [bars] = figure.data, by = (get) => found.tracks.map((one) => get(one) / unit);
        bars.x = by((one) => one.net[0]);
        bars.error_x.array = by((one) => one.high - one.net[0]);
        bars.error_x.arrayminus = by((one) => one.net[0] - one.low);
        figure.layout.xaxis.title.text = `Net value a year (${word}${model.currency})`;
      });
      redraw("whatif-map", (figure) => {
        const cells = figure.data[0], here = figure.data.at(-1), { names, signs, every } = cells.meta;
        const middles = (edges) => edges.slice(1).map((edge, i) => Math.sqrt(edge * edges[i]));
        cells.z = mapped(amounts, middles(cells.x), middles(cells.y), found.loses ? -1 : found.tracks.indexOf(found.leader));
        cells.text = cells.z.map((line, row) => line.map((number, column) =>
          (row % every === column % every && row % every === Math.floor(every / 2) ? signs[number] : "")));
        cells.customdata = cells.z.map((line) => line.map((number) => names[number]));
        here.x = [amounts.volume_per_year];
        here.y = [amounts["value.true_positive"]];
        here.name = moved ? "by the sliders" : "as declared";
      });
      board.dataset.done = JSON.stringify(amounts);
    }

    let waiting = 0;
    const soon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(compute);
    };
    for (const field of fields) {
      const slide = slides.get(field);
      slide.value = toPlace(field);
      slide.addEventListener("input", () => {
        field.value = toAmount(field, Number(slide.value));
        soon();
      });
      field.addEventListener("input", () => {
        if (good(field)) slide.value = toPlace(field);
        soon();
      });
    }
    const put = (values) => fields.forEach((field, i) => {
      field.value = values[i];
      if (good(field)) slides.get(field).value = toPlace(field);
    });
    const declared = () => fields.map((field) => field.dataset.likely);
    board.querySelector("[data-reset]").addEventListener("click", () => {
      put(declared());
      soon();
    });
    // Paper has no sliders: what it shows is as declared, before the page draws for it.
    let kept = declared(), shown = declared();
    window.addEventListener("beforeprint", () => {
      kept = fields.map((field) => field.value);
      shown = fields.map((field) => String(JSON.parse(board.dataset.done)[field.dataset.key]));
      put(declared());
      compute();
    }, { capture: true });
    window.addEventListener("afterprint", () => {
      put(shown);
      compute();
      if (kept.join() === shown.join()) return;
      put(kept); // what was refused before, below the figures of what was not
      compute();
    });
    board.hidden = false;
    compute();
  }

  unpacked("whatif-model").then(JSON.parse).then(show, () => {
    document.getElementById("whatif-missing").hidden = false;
  });
})();
