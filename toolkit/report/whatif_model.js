// The arithmetic of toolkit/analysis/{decisions,economics,verdict}.py and whatif/book.py again, over the same
// draws, so that the sliders' figures are those that Python would give under other economics.
const whatIf = (() => {
  "use strict";

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
          // Within what there is: t-distributed effects have no end.
          const most = (k ? shareOfNegatives : shareOfPositives)[d];
          shares[k][d] = Math.min(most, Math.max(0, shares[k][d] + Math.sqrt(own) * scale[d] * effect));
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
      // Moved to the expected values: else luck of the draws would stand in what one earns less than another.
      const shifts = tracks.map(({ net }) => net[0] - mean(Array.from(net.subarray(1))));
      // Where doing nothing earns nothing, that is a choice too.
      const least = model.nothingEarnsNothing ? 0 : -Infinity;
      const choice = mean(Array.from({ length: draws }, (_, d) =>
        Math.max(least, ...tracks.map(({ net }, i) => net[d + 1] + shifts[i]))));
      const winners = most.map((one, d) => tracks.filter((track) => track.net[d] === one).length);
      for (const track of tracks) {
        track.best = 0;
        track.regret = choice - track.net[0];
        for (let d = 1; d < size; d++) if (track.net[d] === most[d]) track.best += 1 / winners[d];
        // Divided once: many small shares would add up to .6549 where the share is .655.
        track.best /= draws;
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
        nonePays: model.nothingEarnsNothing ? shareOf((d) => most[d] <= 0) : null,
        loses: model.nothingEarnsNothing && leader.net[0] < 0,
        deep: worth(model.deep, plain),
        hybrid: worth(hybrids, model.tracks.filter((name) => !hybrids.includes(name))),
      };
    }

    // Which track to use in each cell of the map, as toolkit.report.map_figures.codes has it. The one that the
    // sliders name (-1 for none) is held on to until another is ahead by more than the margin.
    function mapped(amounts, volumes, hits, held) {
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
          const margin = marginOf(volume * found[places[first]].earned);
          const best = model.nothingEarnsNothing && nets[first] < 0 ? -1 : first;
          const earns = (track) => (track < 0 ? 0 : nets[track]);
          const used = earns(best) - earns(held) <= margin ? held : best;
          if (used < 0) return 0;
          return 1 + 2 * used + (used !== best || nets[first] - Math.max(...rest) <= margin);
        });
      });
    }

    return { verdict, mapped };
  }

  return { start };
})();
