// The sliders: the arithmetic of toolkit/analysis/{decisions,economics,verdict}.py and whatif/book.py again,
// over the same draws, so that its figures are those that Python would give under other economics.
(() => {
  "use strict";
  const board = document.getElementById("whatif-board");
  if (!board) return;

  async function unpack() {
    const bytes = Uint8Array.from(atob(document.getElementById("whatif-model").textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  function start(model) {
    const size = model.size, draws = size - 1, groups = model.test.length;
    // Entry 0 of every array is the mean, the rest are draws.
    const arrays = model.arrays.map((one) =>
      typeof one === "number" ? new Float64Array(size).fill(one) : Float64Array.from([one.mean, ...one.draws]));
    const of = (name) => arrays[model.draws[name]];
    const sum = (values) => values.reduce((one, two) => one + two, 0);
    const mean = (values) => sum(values) / values.length;
    const testRows = model.test.map(sum);
    const weights = new Float64Array(size * groups).fill(1);
    weights.set(model.weights, groups);
    const times = (values, out = new Float64Array(size)) => {
      for (let d = 0; d < size; d++) {
        let total = 0;
        for (let g = 0; g < groups; g++) total += weights[d * groups + g] * values[g];
        out[d] = total;
      }
      return out;
    };
    const rowsDrawn = times(testRows);
    const shareOfPositives = times(model.test.map((one) => one[0])).map((one, d) => one / rowsDrawn[d]);
    const shareOfNegatives = times(model.test.map((one) => one[1])).map((one, d) => one / rowsDrawn[d]);

    for (const rung of model.rungs) for (const seed of rung.seeds) {
      // Counts stand as how much fewer a threshold has than the one before.
      const width = 2 * groups;
      for (let i = width; i < seed.test.length; i++) seed.test[i] = seed.test[i - width] - seed.test[i];
      seed.total = seed.validation.map((_, choice) => [0, 1].map((k) => {
        let total = 0;
        for (let g = 0; g < groups; g++) total += seed.test[choice * width + 2 * g + k];
        return total;
      }));
    }

    // A band at places from 0 (low) over 0.5 (middle) to 1 (high).
    const inBand = ([low, middle, high], place) =>
      place <= 0.5 ? low + (middle - low) * place * 2 : middle + (high - middle) * (place * 2 - 1);

    // What one training, search and decision of a rung takes, by draw; no slider changes it.
    function taken(rung) {
      if (rung.taken) return rung.taken;
      const zero = () => new Float64Array(size);
      const work = [0, 1, 2].map(() => ({ paid: zero(), kwh: zero(), kwhPaid: zero() }));
      const decision = { seconds: zero(), kwh: zero(), idleKwh: zero(), price: 0, idleShare: 0, alwaysOn: 0 };
      const speed = of("speed"), place = of("energyPlace"), where = of("acceleratorPlace");
      for (const flow of rung.flows) {
        const noise = flow.noise === null ? null : arrays[flow.noise];
        const band = flow.band && flow.band.map(Math.log);
        for (let d = 0; d < size; d++) {
          let quantity = flow.meanQuantity, kwh = flow.meanKwh, idleKwh = flow.meanIdleKwh;
          if (d > 0) {
            quantity = noise ? Math.exp(flow.spread * noise[d]) / speed[d] : 1;
            if (band) quantity *= Math.exp(inBand(band, where[d]));
            kwh = inBand(flow.kwh, place[d]);
            idleKwh = inBand(flow.idleKwh, place[d]);
          }
          const seconds = quantity * flow.seconds;
          if (flow.occasion === 2) {
            decision.seconds[d] += seconds;
            decision.kwh[d] += quantity * kwh;
            decision.idleKwh[d] = idleKwh;
            continue;
          }
          const idle = seconds * flow.idleShare, used = quantity * kwh + idle * idleKwh;
          const one = work[flow.occasion];
          one.paid[d] += (seconds + idle) * flow.price;
          one.kwh[d] += used;
          if (!flow.inPrice) one.kwhPaid[d] += used;
        }
        if (flow.occasion === 2)
          Object.assign(decision, { price: flow.price, idleShare: flow.idleShare, alwaysOn: flow.alwaysOn, inPrice: flow.inPrice });
      }
      const hours = ([array, share], d) => share * arrays[array][d];
      const build = zero().map((_, d) => sum(rung.build.map((part) => hours(part, d))));
      const upkeep = zero().map((_, d) => hours(rung.upkeep, d));
      rung.taken = { training: work[0], search: work[1], decision, build, upkeep };
      return rung.taken;
    }

    // Assumptions are ranges that move in proportion; where zero was declared, an amount takes its place.
    function economics(amounts) {
      const moved = (key, array, per = 1) => {
        const slider = model.sliders.find((one) => one.key === key);
        if (!slider) return (d) => array[d];
        const amount = amounts[key];
        return slider.likely ? (d) => array[d] * (amount / slider.likely) : () => amount / per;
      };
      const hardware = model.sliders.find((one) => one.key === "hardware");
      const retrains = moved("retrains_per_year", of("retrains"));
      return {
        hit: moved("value.true_positive", arrays[model.draws.values[0]]),
        volume: moved("volume_per_year", of("volume")),
        wage: moved("wage_per_hour", of("wage")),
        carbon: moved("carbon_price_per_tonne", of("carbon"), 1000),
        trainings: (d) => Math.max(retrains(d), 1 / model.horizon),
        compute: hardware ? amounts.hardware / hardware.likely : 1,
      };
    }

    function cost(rung, now, d) {
      const { training, search, decision, build, upkeep } = taken(rung);
      const trainings = now.trainings(d);
      const searches = model.searchesEachTraining ? trainings : 1 / model.horizon;
      const seconds = now.volume(d) * decision.seconds[d];
      const beside = seconds * decision.idleShare;
      const idle = decision.alwaysOn ? Math.max(beside, decision.alwaysOn - seconds) : beside;
      const decided = now.volume(d) * decision.kwh[d] + idle * decision.idleKwh[d];
      const yearly = (name) => trainings * training[name][d] + searches * search[name][d];
      return (build[d] / model.horizon + upkeep[d]) * now.wage(d)
        + rung.labels * of("label")[d] / model.horizon
        + (yearly("paid") + (seconds + idle) * decision.price) * now.compute
        + (yearly("kwh") + decided) * model.gridKg * now.carbon(d)
        + (yearly("kwhPaid") + (decision.inPrice ? 0 : decided)) * of("kwh")[d];
    }

    const valuesAt = (now, d) => [now.hit(d), ...[1, 2, 3].map((i) => arrays[model.draws.values[i]][d])];
    const worthOf = (values, positives, negatives, total) => {
      const no = [total[0] - positives, total[1] - negatives];
      return (positives * values[0] + negatives * values[1] + no[1] * values[2] + no[0] * values[3]) / sum(total);
    };
    const testTotal = [0, 1].map((k) => sum(model.test.map((one) => one[k])));

    // The threshold of a seed that earns most on validation, the lowest of equal ones.
    function best(seed, values) {
      const gain = values[0] - values[3], loss = values[1] - values[2];
      let place = 0, most = -Infinity;
      seed.validation.forEach(([positives, negatives], choice) => {
        const worth = gain * positives + loss * negatives;
        if (worth > most) [place, most] = [choice, worth];
      });
      return place;
    }

    // The value of a decision of every rung, on validation and on test, at the means.
    function valued(values) {
      return model.rungs.map((rung) => {
        const places = rung.seeds.map((seed) => best(seed, values));
        const over = (k, counts) => mean(rung.seeds.map((seed, i) => counts(seed)[places[i]][k]));
        return {
          places,
          seen: worthOf(values, over(0, (s) => s.validation), over(1, (s) => s.validation), model.validation),
          earned: worthOf(values, over(0, (s) => s.total), over(1, (s) => s.total), testTotal),
        };
      });
    }

    // The rung that validation values most of each track, else its largest.
    function deployed(foreseen) {
      const chosen = model.tracks.map(() => -1);
      model.rungs.forEach(({ track }, place) => {
        const before = chosen[track];
        if (before < 0 || Number.isNaN(foreseen[before]) || foreseen[place] > foreseen[before]) chosen[track] = place;
      });
      return chosen;
    }

    // How much of the seeds' spread is theirs and not the groups' noise (crossed seeds x groups).
    function seedShare(table) {
      const seeds = table.length;
      if (seeds < 2 || groups < 2) return 0;
      const rows = sum(testRows), rate = sum(table.map(sum)) / seeds / rows, scale = rows / groups;
      const cells = table.map((own) => own.map((one, g) => (one - rate * testRows[g]) / scale));
      const bySeed = cells.map(mean), byGroup = testRows.map((_, g) => mean(cells.map((own) => own[g])));
      const middle = mean(bySeed);
      const seed = groups * sum(bySeed.map((one) => (one - middle) ** 2)) / (seeds - 1);
      const rest = cells.map((own, s) => own.map((one, g) => one - bySeed[s] - byGroup[g] + middle));
      const both = sum(rest.map((own) => sum(own.map((one) => one * one)))) / ((seeds - 1) * (groups - 1));
      return seed > 0 ? Math.max(0, 1 - both / seed) : 0;
    }

    // The value of a decision, drawn over groups of clusters, seeds and declared values.
    function decisionDraws(rung, places, now) {
      const yes = rung.seeds.map((seed, i) => [0, 1].map((k) =>
        testRows.map((_, g) => seed.test[(places[i] * groups + g) * 2 + k])));
      const seeds = yes.length, shares = [0, 1].map((k) =>
        times(testRows.map((_, g) => mean(yes.map((own) => own[k][g])))).map((one, d) => one / rowsDrawn[d]));
      if (seeds > 1) {
        const rows = sum(testRows), values = valuesAt(now, 0);
        const rates = yes.map((own) => own.map((counts) => sum(counts) / rows));
        const middle = [0, 1].map((k) => mean(rates.map((own) => own[k])));
        const own = seedShare(yes.map(([positives, negatives]) => testRows.map((_, g) =>
          positives[g] * values[0] + negatives[g] * values[1]
          + (model.test[g][1] - negatives[g]) * values[2] + (model.test[g][0] - positives[g]) * values[3])));
        const normals = rung.seeds.map((seed) => arrays[model.draws.seeds[seed.seed]]);
        const scale = arrays[model.draws.seedScale[seeds]], root = Math.sqrt(seeds * (seeds - 1));
        for (let d = 0; d < size; d++) for (const k of [0, 1]) {
          const effect = sum(normals.map((one, s) => one[d] * (rates[s][k] - middle[k]))) / root;
          shares[k][d] += Math.sqrt(own) * scale[d] * effect;
        }
      }
      const value = new Float64Array(size);
      for (let d = 0; d < size; d++) {
        const [one, two, three, four] = valuesAt(now, d), [positives, negatives] = [shares[0][d], shares[1][d]];
        value[d] = positives * one + negatives * two
          + (shareOfNegatives[d] - negatives) * three + (shareOfPositives[d] - positives) * four;
      }
      return value;
    }

    function quantile(sorted, share) {
      const place = (sorted.length - 1) * share, low = Math.floor(place);
      return low + 1 < sorted.length ? sorted[low] + (sorted[low + 1] - sorted[low]) * (place - low) : sorted[low];
    }

    const marginOf = (gross) => (model.margin === null ? model.marginShare * Math.abs(gross) : model.margin);
    const shareOf = (test) => {
      let count = 0;
      for (let d = 1; d < size; d++) count += test(d);
      return count / draws;
    };

    function verdict(amounts) {
      const now = economics(amounts), found = valued(valuesAt(now, 0));
      const foreseen = model.rungs.map((rung, i) => now.volume(0) * found[i].seen - cost(rung, now, 0));
      const tracks = deployed(foreseen).map((place, track) => {
        const rung = model.rungs[place], value = decisionDraws(rung, found[place].places, now);
        const net = new Float64Array(size);
        for (let d = 0; d < size; d++) net[d] = now.volume(d) * value[d] - cost(rung, now, d);
        const sorted = net.slice(1).sort();
        return {
          name: model.tracks[track], rung: rung.rung, net, gross: now.volume(0) * value[0], seen: foreseen[place],
          low: Math.min(quantile(sorted, 0.025), net[0]), high: Math.max(quantile(sorted, 0.975), net[0]),
        };
      });
      const most = new Float64Array(size).map((_, d) => Math.max(...tracks.map((one) => one.net[d])));
      const winners = most.map((one, d) => tracks.filter((track) => track.net[d] === one).length);
      for (const track of tracks) {
        track.best = track.regret = 0;
        for (let d = 1; d < size; d++) {
          if (track.net[d] === most[d]) track.best += 1 / winners[d];
          track.regret += most[d] - track.net[d];
        }
        // Divided once: many small shares would add up to .6549 where the share is .655.
        track.best /= draws;
        track.regret /= draws;
      }
      const order = [...tracks].sort((one, two) => two.net[0] - one.net[0]);
      const [leader, second] = order, margin = marginOf(leader.gross);
      const ahead = leader.net[0] - second.net[0];
      const worth = (names, others) => {
        const own = tracks.filter((one) => names.includes(one.name)), rivals = tracks.filter((one) => others.includes(one.name));
        if (!own.length || !rivals.length) return null;
        const or = (value) => (Number.isNaN(value) ? -Infinity : value);
        const track = own.reduce((one, two) => (or(two.seen) > or(one.seen) ? two : one));
        return { track, probability: shareOf((d) => track.net[d] - Math.max(...rivals.map((one) => one.net[d])) > margin) };
      };
      const plain = model.plain, hybrids = model.hybrids;
      return {
        tracks, order, leader, second, margin, ahead,
        close: leader.best < model.clear || ahead <= margin,
        nonePays: model.nothingEarnsNothing && leader.net[0] < 0 ? shareOf((d) => most[d] <= 0) : null,
        deep: worth(model.deep, plain),
        hybrid: worth(hybrids, model.tracks.filter((name) => !hybrids.includes(name))),
      };
    }

    // Which track is expected to earn most in each cell of the map, as toolkit.report.map_figures.codes has it.
    function mapped(amounts, volumes, hits) {
      const spent = volumes.map((volume) => {
        const now = economics({ ...amounts, volume_per_year: volume });
        return { volume: now.volume(0), costs: model.rungs.map((rung) => cost(rung, now, 0)) };
      });
      return hits.map((hit) => {
        const found = valued(valuesAt(economics({ ...amounts, "value.true_positive": hit }), 0));
        return spent.map(({ volume, costs }) => {
          const places = deployed(found.map((one, i) => volume * one.seen - costs[i]));
          const nets = places.map((place) => volume * found[place].earned - costs[place]);
          const first = nets.indexOf(Math.max(...nets)), rest = nets.filter((_, i) => i !== first);
          if (model.nothingEarnsNothing && nets[first] < 0) return 0;
          return 1 + 2 * first + (nets[first] - Math.max(...rest) <= marginOf(volume * found[places[first]].earned));
        });
      });
    }

    show(model, verdict, mapped);
  }

  // As toolkit.analysis.verdict: money and probabilities in words.
  const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  function inWords(amount) {
    const value = Math.abs(amount);
    for (const [scale, word] of [[1e12, " trillion"], [1e9, " billion"], [1e6, " million"]])
      if (value >= scale) return `${Number((amount / scale).toPrecision(3))}${word}`;
    const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
    return grouped(String(Math.round(Math.round(amount / unit) * unit)));
  }
  const money = (amount, currency) => `${Math.abs(amount) < 100 ? amount.toFixed(2) : inWords(amount)} ${currency}`;
  const chance = (share) => (share >= 0.995 ? "over .99" : share < 0.005 ? "under .01" : share.toFixed(2).replace(/^0/, ""));
  const filled = (text, words) => text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
  const bestOf = (names) => (names.length === 1 ? names[0] : `the best of ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

  function sentence(model, found) {
    const { leader, second, ahead, margin, close, nonePays, deep } = found;
    const name = nonePays !== null ? "none pays" : !close ? "clear" : ahead <= margin ? "within the margin" : "not sure";
    const first = filled(model.sentences[name], {
      leader: leader.name, second: second.name, ahead: money(ahead, model.currency), margin: money(margin, model.currency),
      loss: money(-leader.net[0], model.currency), probability: chance(nonePays !== null ? nonePays : leader.best),
    });
    if (!deep) return `${first} ${model.sentences["deep is not known"]}`;
    const sure = model.sure, answer = deep.probability >= sure ? "deep pays" : deep.probability <= 1 - sure ? "deep does not pay" : "deep is open";
    return `${first} ${filled(model.sentences[answer], {
      probability: chance(deep.probability), net: model.deep.length > 1 ? deep.track.name : "it",
      margin: money(margin, model.currency), others: bestOf(model.plain),
    })}`;
  }

  function show(model, verdict, mapped) {
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
    const good = (field) => {
      const amount = Number(field.value), [low] = ends(field);
      return field.value !== "" && Number.isFinite(amount) && (low > 0 ? amount > 0 : amount >= 0);
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
        document.getElementById(`${field.id}-words`).textContent = good(field) && amount >= 1e4 ? `${inWords(amount)}; ` : "";
      }
      if (!fields.every(good)) return;
      const amounts = Object.fromEntries(fields.map((field) => [field.dataset.key, Number(field.value)]));
      const moved = fields.some((field) => Number(field.value) !== Number(field.dataset.likely));
      board.querySelector("[data-reset]").disabled = !moved;
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
        cells.z = mapped(amounts, middles(cells.x), middles(cells.y));
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
    board.querySelector("[data-reset]").addEventListener("click", () => {
      for (const field of fields) {
        field.value = field.dataset.likely;
        slides.get(field).value = toPlace(field);
      }
      soon();
    });
    board.hidden = false;
    compute();
  }

  unpack().then(start, () => {
    document.getElementById("whatif-missing").hidden = false;
  });
})();
