/* TopoJSON: arcs become shared Leaflet points, arcs become polygons, and borders are found from who uses an arc. */
(function (presencia) {
  function decodeArc(arc, { scale, translate }) {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return L.latLng(y * scale[1] + translate[1], x * scale[0] + translate[0]);
    });
  }

  function ring(references, arcs) {
    const points = [];
    for (const reference of references) {
      const arc = reference < 0 ? arcs[~reference].slice().reverse() : arcs[reference];
      if (points.length) points.pop();
      points.push(...arc);
    }
    return points;
  }

  const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs || []);

  function owners(geometries, count) {
    const found = Array.from({ length: count }, () => []);
    for (const geometry of geometries) {
      for (const reference of polygons(geometry).flat(2)) {
        found[reference < 0 ? ~reference : reference].push(geometry.id);
      }
    }
    return found;
  }

  function decode(topology) {
    const arcs = topology.arcs.map((arc) => decodeArc(arc, topology.transform));
    const { geometries } = topology.objects.municipalities;
    const shapes = new Map(
      geometries.map((geometry) => [
        geometry.id,
        polygons(geometry).map((rings) => rings.map((references) => ring(references, arcs))),
      ]),
    );
    return { arcs, shapes, owners: owners(geometries, arcs.length) };
  }

  /* An arc is a border where the groups on its two sides differ; outside of everything the group is null. */
  function borders(decoded, groupOf) {
    return decoded.arcs.filter((_, place) => {
      const [left, right] = decoded.owners[place];
      const here = left === undefined ? null : groupOf(left);
      return here !== (right === undefined ? null : groupOf(right));
    });
  }

  const outer = (shape) => shape.map((rings) => rings[0]);

  /* Signed area and first moments of a ring in degrees, by the shoelace formula. */
  function moments(points) {
    let area = 0;
    let lat = 0;
    let lng = 0;
    points.forEach((a, place) => {
      const b = points[(place + 1) % points.length];
      const cross = a.lng * b.lat - b.lng * a.lat;
      area += cross;
      lat += (a.lat + b.lat) * cross;
      lng += (a.lng + b.lng) * cross;
    });
    return { area: Math.abs(area), lat: lat / (3 * area), lng: lng / (3 * area) };
  }

  function centre(shapes) {
    const parts = shapes.flatMap(outer).map(moments).filter((part) => part.area > 0);
    const whole = parts.reduce((sum, part) => sum + part.area, 0);
    const mean = (axis) => parts.reduce((sum, part) => sum + part[axis] * part.area, 0) / whole;
    return L.latLng(mean("lat"), mean("lng"));
  }

  presencia.topology = { decode, borders, centre };
})((window.presencia = window.presencia || {}));
