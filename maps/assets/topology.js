/* Shared arcs: they become Leaflet points, polygons are put together from them, and borders found from who uses an arc. */
(function (presencia) {
  const { codec } = presencia;

  function points({ transform, lengths, steps }) {
    const [{ scale, translate }, moves] = [transform, codec.signed(steps)];
    let at = 0;
    return Array.from(codec.varints(lengths), (length) => {
      let [x, y] = [0, 0];
      return Array.from({ length }, () => {
        x += moves[at++];
        y += moves[at++];
        return L.latLng(y * scale[1] + translate[1], x * scale[0] + translate[0]);
      });
    });
  }

  /* For each geometry its polygons, for each of these its rings, for each of these its arcs; ~n is arc n backwards. */
  function references({ ids, rings }) {
    const counts = codec.varints(rings);
    let at = 0;
    const next = () => counts[at++];
    const list = (make) => Array.from({ length: next() }, make);
    const arc = () => codec.unzigzag(next());
    return ids.map(() => list(() => list(() => list(arc))));
  }

  function ring(arcs, numbers) {
    const found = [];
    for (const number of numbers) {
      const arc = number < 0 ? arcs[~number].slice().reverse() : arcs[number];
      if (found.length) found.pop();
      for (const point of arc) found.push(point);
    }
    return found;
  }

  function owners(ids, used, count) {
    const found = Array.from({ length: count }, () => []);
    used.forEach((polygons, order) => {
      for (const number of polygons.flat(2)) found[number < 0 ? ~number : number].push(ids[order]);
    });
    return found;
  }

  function decode(packed) {
    const arcs = points(packed);
    const { ids } = packed;
    const used = references(packed);
    const shapes = new Map(ids.map((id, order) => [id, used[order].map((rings) => rings.map((numbers) => ring(arcs, numbers)))]));
    return { arcs, shapes, owners: owners(ids, used, arcs.length), used: new Map(ids.map((id, order) => [id, used[order]])) };
  }

  /* An arc is a border where the groups on its two sides differ; outside of everything the group is null. */
  function borders(decoded, groupOf) {
    return decoded.arcs.filter((_, number) => parts(decoded.owners[number], groupOf));
  }

  function parts([left, right], groupOf) {
    const here = left === undefined ? null : groupOf(left);
    return here !== (right === undefined ? null : groupOf(right));
  }

  /* Pairs of municipalities that share a border, each once, by place. */
  function neighbours(decoded, placeOf) {
    const found = new Map();
    for (const codes of decoded.owners) {
      const [one, other] = codes.map(placeOf).sort((a, b) => a - b);
      if (other !== undefined && one !== other) found.set(one * 65536 + other, [one, other]);
    }
    return [...found.values()];
  }

  const outer = (shape) => shape.map((rings) => rings[0]);

  /* Signed area and first moments of a ring in degrees, by the shoelace formula. */
  function moments(corners) {
    let area = 0;
    let lat = 0;
    let lng = 0;
    corners.forEach((a, place) => {
      const b = corners[(place + 1) % corners.length];
      const cross = a.lng * b.lat - b.lng * a.lat;
      area += cross;
      lat += (a.lat + b.lat) * cross;
      lng += (a.lng + b.lng) * cross;
    });
    return { area: Math.abs(area), lat: lat / (3 * area), lng: lng / (3 * area) };
  }

  function centre(shapes) {
    const masses = shapes.flatMap(outer).map(moments).filter((part) => part.area > 0);
    const whole = masses.reduce((sum, part) => sum + part.area, 0);
    const mean = (axis) => masses.reduce((sum, part) => sum + part[axis] * part.area, 0) / whole;
    return L.latLng(mean("lat"), mean("lng"));
  }

  presencia.topology = { decode, borders, parts, neighbours, centre };
})((window.presencia = window.presencia || {}));
