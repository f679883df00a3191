/* Zones as in layers/zones.py: the highest scores and who is locked in, grouped where they share borders. */
(function (presencia) {
  const PLACES = 9;
  const SUMMED = ["coca_ha", "area_km2", "population", "eradicated_ha"];

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const known = (value) => (Number.isNaN(value) ? null : value);

  /* The first by score, on top of them who is locked in; a place of who is locked out goes to the next. */
  function members(scored, share, lockedIn, lockedOut) {
    const candidates = scored.ranked.filter((place) => !Number.isNaN(scored.score[place]));
    const count = Math.ceil(Number((share * candidates.length).toFixed(PLACES)));
    const best = candidates.filter((place) => !lockedOut.has(place)).slice(0, count);
    return [...new Set([...best, ...lockedIn])].sort((a, b) => a - b);
  }

  function groups(places, beside) {
    const waiting = new Set(places);
    const found = [];
    for (const first of places) {
      if (!waiting.delete(first)) continue;
      const group = [first];
      for (const place of group) {
        for (const next of beside[place]) if (waiting.delete(next)) group.push(next);
      }
      found.push(group);
    }
    return found;
  }

  /* The highest score first, those without one last. */
  function byScore(places, score) {
    const worth = (place) => (Number.isNaN(score[place]) ? -Infinity : score[place]);
    return [...places].sort((a, b) => (worth(a) === worth(b) ? a - b : worth(b) - worth(a)));
  }

  /* Mean of the scores there are weighted by coca, plain where there is none. */
  function mean(places, score, coca) {
    const scored = places.filter((place) => !Number.isNaN(score[place]));
    if (!scored.length) return NaN;
    const grown = sum(scored.map((place) => coca[place])) > 0;
    const weight = (place) => (grown ? coca[place] : coca[place] + 1);
    return sum(scored.map((place) => score[place] * weight(place))) / sum(scored.map(weight));
  }

  function unique(zones) {
    const times = new Map();
    for (const { name } of zones) times.set(name, (times.get(name) || 0) + 1);
    for (const zone of zones) if (times.get(zone.name) > 1) zone.name += ` (${zone.id.slice(1)})`;
    return zones;
  }

  /* A context has codes, names, departments, neighbours (beside) and the columns of SUMMED. */
  function build(places, score, context) {
    const { codes, names, departments, beside, columns } = context;
    const zones = groups(places, beside).map((group) => {
      const ordered = byScore(group, score);
      const figures = SUMMED.map((name) => [name, known(sum(ordered.map((place) => columns[name][place])))]);
      return {
        id: "Z" + codes[ordered[0]], name: `${departments[ordered[0]]}: ${names[ordered[0]]}`, members: ordered,
        ...Object.fromEntries(figures), score: known(mean(ordered, score, columns.coca_ha)),
      };
    });
    const worth = ({ score: own }) => own ?? -Infinity;
    return unique(zones).sort((a, b) => (worth(a) === worth(b) ? (a.id < b.id ? -1 : 1) : worth(b) - worth(a)));
  }

  presencia.zones = { members, build };
})((window.presencia = window.presencia || {}));
