/* The measures of layers/measures.py and the classes of layers/dynamics.py, for all municipalities at once, by year. */
(function (presencia) {
  const { codec } = presencia;
  const PER_10_000 = 1e4;
  const PER_100_000 = 1e5;
  const ROUNDING = 1e-12;
  const CATEGORIES = {
    hot_spot: ["hot", "cold", "neither"],
    permanence_class: ["permanent", "intermittent", "expansion", "abandoned", "past", "never"],
  };
  const [PERMANENT, INTERMITTENT, EXPANSION, ABANDONED, PAST, NEVER] = CATEGORIES.permanence_class.keys();
  const [HOT, COLD, NEITHER] = CATEGORIES.hot_spot.keys();
  const TIMELESS = new Set(["station_km", "farc_events_per_10k", "farc_events_window"]);

  /* Median of the slopes between all pairs of years; a slope from a missing year is missing, and is sorted last. */
  function theilSen(values) {
    const slopes = new Float64Array((values.length * (values.length - 1)) / 2);
    let count = 0;
    for (let one = 0; one < values.length; one++) {
      for (let other = one + 1; other < values.length; other++) slopes[count++] = (values[other] - values[one]) / (other - one);
    }
    slopes.sort();
    const half = count >> 1;
    if (Number.isNaN(slopes[count - 1])) return NaN;
    return count % 2 ? slopes[half] : (slopes[half - 1] + slopes[half]) / 2;
  }

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;
  const any = (values) => values.some((value) => value > 0);
  const gap = (values) => values.some(Number.isNaN);
  const positive = (values) => (gap(values) ? NaN : values.filter((value) => value > 0).length / values.length);
  const knownMean = (values) => mean(values.filter((value) => !Number.isNaN(value)));

  /* In the order of layers/dynamics.py: window, what is recent of it, all years on record, those before the recent. */
  function permanenceClass(window, recent, record, before) {
    if (gap(window)) return NaN;
    const found = !any(record) ? NEVER
      : any(recent) && !any(before) ? EXPANSION
      : !any(window) ? PAST
      : !any(recent) ? ABANDONED
      : window.every((value) => value > 0) ? PERMANENT : INTERMITTENT;
    return (found === NEVER || found === EXPANSION || found === PAST) && gap(record) ? NaN : found;
  }

  function evidence({ codes, series, facts }) {
    const count = codes.length;
    const missing = new Float64Array(count).fill(NaN);
    const read = new Map();
    const yearly = (name) => {
      if (!read.has(name)) read.set(name, codec.series(series[name], count));
      return read.get(name);
    };
    const fact = (name) => {
      if (!read.has(name)) read.set(name, codec.numbers(facts[name], count));
      return read.get(name);
    };
    /* People live about the seat, also where distances are taken from the coca itself. */
    const seat = () => fact("seat_station_km" in facts ? "seat_station_km" : "station_km");
    const column = (name, year) => yearly(name).columns.get(year) || missing;
    const span = (name, first, last) => Array.from({ length: last - first + 1 }, (_, at) => column(name, first + at));
    const last = (name, year, years) => span(name, year - years + 1, year);
    return { count, missing, fact, seat, column, span, last, years: yearly("coca_ha").years };
  }

  /* The columns of a span become a row for each place, and a row becomes a value. */
  function rows(columns, make) {
    const row = new Array(columns.length);
    return columns[0].map((_, place) => {
      for (let at = 0; at < row.length; at++) row[at] = columns[at][place];
      return make(row, place);
    });
  }

  function registry({ count, missing, fact, seat, column, span, last, years }, { terms, spots }, values) {
    const eradicated = (year) => rows(last("eradicated_ha", year, terms.eradication_years), sum);
    const farc = () => rows(span("farc_events", terms.farc_first, terms.farc_last), sum);

    function density(year) {
      const area = fact("area_km2");
      return column("coca_ha", year).map((coca, place) => coca / area[place]);
    }

    function regrown(year) {
      const removed = values("eradicated_window_ha", year);
      const before = column("coca_ha", year - terms.eradication_years);
      const back = (now, place) => Math.min(Math.max(now - before[place] + removed[place], 0), removed[place]);
      return column("coca_ha", year).map((now, place) => (removed[place] >= terms.minimum_eradicated_ha ? back(now, place) : NaN));
    }

    function resurgence(year) {
      const removed = values("eradicated_window_ha", year);
      return values("regrown_ha", year).map((back, place) => back / removed[place]);
    }

    function farcPer10k() {
      const length = terms.farc_last - terms.farc_first + 1;
      const people = rows(span("population", terms.farc_first, terms.farc_last), knownMean);
      return values("farc_events_window").map((events, place) => (events / length / people[place]) * PER_10_000);
    }

    function homicideRate(year) {
      const people = last("population", year, terms.homicide_years);
      const rate = (counts, place) => mean(counts.map((homicides, at) => (homicides / people[at][place]) * PER_100_000));
      return rows(last("homicides", year, terms.homicide_years), rate);
    }

    function peopleBeyond(year) {
      const people = column("population", year);
      return seat().map((km, place) => (Number.isNaN(km) ? NaN : km > terms.station_radius_km ? people[place] : 0));
    }

    function change(year) {
      const before = column("coca_ha", terms.goal_baseline);
      return column("coca_ha", year).map((now, place) => now - before[place]);
    }

    function classes(year) {
      const [length, recent] = [terms.permanence_years, terms.recent_years];
      const surveyed = years.filter((each) => each <= year);
      const before = surveyed.filter((each) => each <= year - recent).length;
      const record = surveyed.map((each) => column("coca_ha", each));
      return rows([...last("coca_ha", year, length), ...record], (row) =>
        permanenceClass(row.slice(0, length), row.slice(length - recent, length), row.slice(length), row.slice(length, length + before)));
    }

    function hotSpot(year) {
      const known = spots[year];
      if (!known) return missing;
      const found = new Float64Array(count).fill(NEITHER);
      for (const [kind, value] of [["hot", HOT], ["cold", COLD], ["missing", NaN]]) {
        for (const place of codec.places(known[kind] || "")) found[place] = value;
      }
      return found;
    }

    const yearly = (name) => (year) => column(name, year);
    return {
      coca_ha: yearly("coca_ha"), eradicated_ha: yearly("eradicated_ha"), sprayed_ha: yearly("sprayed_ha"),
      farc_events: yearly("farc_events"), population: yearly("population"),
      coca_ha_per_km2: density,
      coca_trend_ha_per_year: (year) => rows(last("coca_ha", year, terms.trend_years), theilSen),
      permanence: (year) => rows(last("coca_ha", year, terms.permanence_years), positive),
      permanence_class: classes, hot_spot: hotSpot, eradicated_window_ha: eradicated, regrown_ha: regrown, resurgence,
      farc_events_window: farc, farc_events_per_10k: farcPer10k, homicide_rate: homicideRate,
      station_km: () => fact("station_km"), people_beyond: peopleBeyond, change_ha: change,
    };
  }

  /* The fewest municipalities that together hold a share of the hectares; among equals the first. */
  function highest(hectares, share) {
    const none = (value) => value || 0;
    const order = [...hectares.keys()].sort((a, b) => none(hectares[b]) - none(hectares[a]) || a - b);
    const wanted = share * order.reduce((total, place) => total + none(hectares[place]), 0);
    const high = new Uint8Array(hectares.length);
    let before = 0;
    for (const place of order) {
      if (!(hectares[place] > 0 && wanted - before > ROUNDING * wanted)) break;
      high[place] = 1;
      before += hectares[place];
    }
    return high;
  }

  function measures(data) {
    const facts = evidence(data);
    const made = new Map();
    function values(measure, year) {
      const key = TIMELESS.has(measure) ? measure : measure + year;
      if (!made.has(key)) made.set(key, known[measure](year));
      return made.get(key);
    }
    const known = registry(facts, data, values);

    function total(series, year) {
      const told = facts.column(series, year).filter((value) => !Number.isNaN(value));
      return told.length ? sum(told) : NaN;
    }
    return { count: facts.count, years: facts.years, values, total };
  }

  presencia.measures = Object.assign(measures, { CATEGORIES, highest });
})((window.presencia = window.presencia || {}));
