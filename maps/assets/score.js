/* Scores from several measures, as in geo/score.py: rescaling, five ways to aggregate, contributions and ranks. */
(function (presencia) {
  const DEVIATIONS = 3;
  const LOG_SHARE = 0.01;
  const FLOOR = 0.01;
  const COMPROMISE = 0.5;

  const clip = (value, low, high) => Math.min(Math.max(value, low), high);
  const ordered = (values) => values.filter((value) => !Number.isNaN(value)).sort();

  function quantile(sorted, share) {
    if (!sorted.length) return 0;
    const at = share * (sorted.length - 1);
    const below = Math.floor(at);
    if (at === below) return sorted[below];
    return (sorted[below + 1] - sorted[below]) * (at - below) + sorted[below];
  }

  /* Mid-ranks of values among themselves, from 0 to 1. */
  function ranked(values, sorted) {
    const first = new Map();
    const count = new Map();
    sorted.forEach((value, at) => {
      if (!first.has(value)) first.set(value, at);
      count.set(value, (count.get(value) || 0) + 1);
    });
    const most = Math.max(sorted.length - 1, 1);
    return values.map((value) => (Number.isNaN(value) ? NaN : clip((first.get(value) + (count.get(value) - 1) / 2) / most, 0, 1)));
  }

  function goalposts({ goalposts: [low, high], log }) {
    const unit = LOG_SHARE * high;
    return log ? { unit, low: Math.log1p(low / unit), high: Math.log1p(high / unit) } : { unit: 1, low, high };
  }

  /* Added up as numpy does, in pairs of eight, so that not even the last bit differs. */
  function sum(values) {
    const { length } = values;
    if (length < 8) return values.reduce((total, value) => total + value, 0);
    if (length > 128) {
      const half = (length >> 4) << 3;
      return sum(values.subarray(0, half)) + sum(values.subarray(half));
    }
    const parts = values.slice(0, 8);
    const whole = length - (length % 8);
    for (let at = 8; at < whole; at++) parts[at % 8] += values[at];
    const [a, b, c, d, e, f, g, h] = parts;
    return values.subarray(whole).reduce((total, value) => total + value, a + b + (c + d) + (e + f + (g + h)));
  }

  /* What becomes 0 and 1, fitted on the sorted values; a value below 0 has no logarithm and counts as 0. */
  function stretch(sorted, { kind, log }, winsor) {
    const unit = quantile(sorted.filter((value) => value > 0), 0.5) || 1;
    const moved = log ? sorted.map((value) => Math.log1p(Math.max(value, 0) / unit)) : sorted;
    const [low, high] = [quantile(moved, winsor), quantile(moved, 1 - winsor)];
    if (kind !== "zscore" || !(high > low)) return { unit, low, high };
    const drawn = moved.map((value) => clip(value, low, high));
    const mean = sum(drawn) / drawn.length;
    const reach = DEVIATIONS * Math.sqrt(sum(drawn.map((value) => (value - mean) * (value - mean))) / drawn.length);
    return { unit, low: mean - reach, high: mean + reach };
  }

  function stretched(values, { unit, low, high }, log) {
    const move = log ? (value) => Math.log1p(Math.max(value, 0) / unit) : (value) => value;
    return high > low ? values.map((value) => clip((move(value) - low) / (high - low), 0, 1)) : null;
  }

  function rising(values, criterion, winsor) {
    const sorted = ordered(values);
    if (criterion.kind === "goalposts") return stretched(values, goalposts(criterion), criterion.log);
    if (criterion.kind !== "rank") return stretched(values, stretch(sorted, criterion, winsor), criterion.log);
    return sorted.length && sorted[0] !== sorted[sorted.length - 1] ? ranked(values, sorted) : null;
  }

  /* A measure of the candidates brought to 0..1; all 0 where its values do not differ, low ones first where they count. */
  function rescale(values, criterion, winsor) {
    const found = rising(values, criterion, winsor);
    if (!found) return values.map((value) => (Number.isNaN(value) ? NaN : 0));
    return criterion.descending ? found.map((value) => 1 - value) : found;
  }

  /* Tables are flat, row by row. */
  function table(columns) {
    const m = columns.length;
    const found = new Float64Array(m * columns[0].length);
    columns.forEach((column, j) => column.forEach((value, row) => { found[row * m + j] = value; }));
    return found;
  }

  function extremes(column) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of column) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [Number.isFinite(low) ? low : 0, Number.isFinite(high) ? high : 0];
  }

  /* PROMETHEE's net flow: how many each one beats, less how many beat it, from -1..1 to 0..1. */
  function flows(column) {
    const sorted = ordered(column);
    const below = new Map();
    const upTo = new Map();
    sorted.forEach((value, at) => {
      if (!below.has(value)) below.set(value, at);
      upTo.set(value, at);
    });
    const others = Math.max(sorted.length - 1, 1);
    const net = (value) => below.get(value) - (sorted.length - 1 - upTo.get(value));
    return column.map((value) => (Number.isNaN(value) ? NaN : 0.5 + net(value) / (2 * others)));
  }

  /* A function of each row, told where the row begins and the weight of what it has. */
  function each(unit, weights, make) {
    const m = weights.length;
    const found = new Float64Array(unit.length / m);
    for (let row = 0; row < found.length; row++) {
      let known = 0;
      for (let j = 0; j < m; j++) if (unit[row * m + j] === unit[row * m + j]) known += weights[j];
      found[row] = make(row * m, known);
    }
    return found;
  }

  function weightedMean(unit, weights) {
    return each(unit, weights, (at, known) => {
      let total = 0;
      for (let j = 0; j < weights.length; j++) if (unit[at + j] === unit[at + j]) total += weights[j] * unit[at + j];
      return known > 0 ? total / known : NaN;
    });
  }

  function geometricMean(unit, weights) {
    return each(unit, weights, (at, known) => {
      let total = 0;
      for (let j = 0; j < weights.length; j++) {
        if (unit[at + j] === unit[at + j]) total += weights[j] * Math.log(Math.max(unit[at + j], FLOOR));
      }
      return known > 0 ? Math.exp(total / known) : NaN;
    });
  }

  function topsis(unit, weights, { ends }) {
    return each(unit, weights, (at, known) => {
      let [worst, best] = [0, 0];
      for (let j = 0; j < weights.length; j++) {
        const value = unit[at + j];
        if (value !== value) continue;
        const squared = weights[j] * weights[j];
        worst += squared * ((value - ends[j][0]) * (value - ends[j][0]));
        best += squared * ((value - ends[j][1]) * (value - ends[j][1]));
      }
      const [near, far] = [Math.sqrt(best), Math.sqrt(worst)];
      if (!(known > 0)) return NaN;
      return near + far > 0 ? far / (near + far) : 0;
    });
  }

  const width = ([low, high]) => (high > low ? high - low : Infinity);

  /* VIKOR's sum of weighted regrets, and the largest of them. */
  function regrets(unit, weights, ends) {
    const widths = ends.map(width);
    const regret = (at, j) => (unit[at + j] === unit[at + j] ? weights[j] * ((ends[j][1] - unit[at + j]) / widths[j]) : 0);
    const over = (join) => each(unit, weights, (at, known) => {
      let found = 0;
      for (let j = 0; j < weights.length; j++) found = join(found, regret(at, j));
      return known > 0 ? found / known : NaN;
    });
    return [over((total, value) => total + value), over(Math.max)];
  }

  function vikor(unit, weights, { ends, spans }) {
    const found = regrets(unit, weights, ends);
    const ranges = spans || found.map(extremes);
    const part = (k, row) => (found[k][row] - ranges[k][0]) / width(ranges[k]);
    return found[0].map((_, row) => 1 - (COMPROMISE * part(0, row) + (1 - COMPROMISE) * part(1, row)));
  }

  const METHODS = { "weighted-mean": weightedMean, "geometric-mean": geometricMean, topsis, vikor };

  /* The candidates' measures made ready for any weights: raw and rescaled columns become tables. */
  function prepare(raw, criteria, winsor) {
    const columns = raw.map((column, j) => rescale(column, criteria[j], winsor));
    let net = null;
    return {
      n: raw[0].length, m: raw.length, raw: table(raw), unit: table(columns), ends: columns.map(extremes),
      flows: () => (net = net || table(columns.map(flows))),
    };
  }

  function aggregate(ready, weights, method) {
    return method === "promethee" ? weightedMean(ready.flows(), weights) : METHODS[method](ready.unit, weights, ready);
  }

  /* Share of the weight whose measures are known. */
  function coverage(ready, weights) {
    const all = weights.reduce((total, weight) => total + weight, 0);
    return each(ready.unit, weights, (_, known) => known / all);
  }

  const row = (values, m, place) => values.slice(place * m, (place + 1) * m);

  function shares(values, weights) {
    const known = values.reduce((total, value, j) => total + (Number.isNaN(value) ? 0 : weights[j]), 0);
    return values.map((value, j) => (Number.isNaN(value) ? NaN : weights[j] / known));
  }

  function factorial(number) {
    return number > 1 ? number * factorial(number - 1) : 1;
  }

  /* Shapley values over all sets of measures: those outside of a set are 0, the extremes of all stand still. */
  function shapley(ready, weights, method, place) {
    const { m, ends, unit } = ready;
    const own = row(unit, m, place);
    const sets = new Float64Array(m * 2 ** m);
    for (let set = 0; set < 2 ** m; set++) {
      for (let j = 0; j < m; j++) sets[set * m + j] = (set >> j) & 1 ? own[j] : own[j] * 0;
    }
    const spans = method === "vikor" ? regrets(unit, weights, ends).map(extremes) : null;
    const worth = METHODS[method](sets, weights, { ends, spans });
    const chance = Array.from({ length: m }, (_, size) => (factorial(size) * factorial(m - size - 1)) / factorial(m));
    const sizes = Uint8Array.from({ length: 2 ** m }, (_, set) => set.toString(2).replaceAll("0", "").length);
    return shares(own, weights).map((share, j) => {
      let added = share * worth[0];
      for (let set = 0; set < 2 ** m; set++) if (!((set >> j) & 1)) added += chance[sizes[set]] * (worth[set | (1 << j)] - worth[set]);
      return added;
    });
  }

  /* What each measure adds to a candidate's score. */
  function contributions(ready, weights, method, place) {
    if (method !== "weighted-mean" && method !== "promethee") return shapley(ready, weights, method, place);
    const values = row(method === "promethee" ? ready.flows() : ready.unit, ready.m, place);
    return shares(values, weights).map((share, j) => share * values[j]);
  }

  /* Rows from the highest score to the lowest; equal scores in the order of their rows, missing ones last. */
  function order(score) {
    const rows = Int32Array.from(score.keys());
    return rows.sort((a, b) => {
      const [one, other] = [score[a], score[b]];
      if (one !== one || other !== other) return (one !== one) - (other !== other) || a - b;
      return other - one || a - b;
    });
  }

  presencia.score = { prepare, aggregate, coverage, contributions, order, row };
})((window.presencia = window.presencia || {}));
