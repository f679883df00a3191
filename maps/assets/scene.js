/* One view of the country: a measure in a year, with outlines. The map has one, and a second where two are compared. */
(function (presencia) {
  const { node } = presencia.dom;
  const { Sheet, screen, trace, stroke } = presencia.canvas;
  const BORDER = ["#ffffff", 0.6];
  const VEIL = "rgb(240 243 245 / 82%)";

  /* Made once: a canvas for each drawing would cost a millisecond of it. */
  function hatch(ground) {
    const size = 8;
    const tile = node("canvas", { width: size, height: size });
    const brush = tile.getContext("2d");
    brush.fillStyle = "#ffffff";
    brush.fillRect(0, 0, size, size);
    brush.strokeStyle = ground;
    brush.lineWidth = 1.4;
    brush.beginPath();
    for (const shift of [-size, 0, size]) {
      brush.moveTo(shift - 1, size + 1);
      brush.lineTo(shift + size + 1, -1);
    }
    brush.stroke();
    return brush.createPattern(tile, "repeat");
  }

  /* Municipalities of a class are filled as one shape, so that no seam shows between them. */
  function fill(pen, arcs, towns, { classes, fills }, seen) {
    for (let kind = 0; kind < fills.length; kind += 1) {
      pen.beginPath();
      towns.forEach((town, place) => {
        if (classes[place] === kind && seen(town.bounds)) trace(pen, arcs, town.rings);
      });
      pen.fillStyle = fills[kind];
      pen.fill("evenodd");
    }
  }

  /* What lies outside the chosen department pales. */
  function veil(pen, arcs, towns) {
    pen.beginPath();
    for (const { rings } of towns) trace(pen, arcs, rings);
    pen.fillStyle = VEIL;
    pen.fill("evenodd");
  }

  /* Whether a municipality reaches into the canvas. */
  function viewer(map, { min, max }) {
    const scale = map.options.crs.scale(map.getZoom()) / map.options.crs.scale(0);
    const { x, y } = map.getPixelOrigin();
    const [west, north, east, south] = [(min.x + x) / scale, (min.y + y) / scale, (max.x + x) / scale, (max.y + y) / scale];
    return (bounds) => bounds.east >= west && bounds.west <= east && bounds.south >= north && bounds.north <= south;
  }

  function scene(map, app, { pane = "overlayPane", second = false } = {}) {
    const { data, flat, decoded, engine } = app;
    const arcsNow = screen(map, flat);
    const lines = data.colours.lines;
    const every = decoded.arcs.map((_, number) => number);
    const hatched = hatch(data.colours.ground.missing);
    const marked = { hover: null, chosen: [] };
    let painted = { classes: new Uint8Array(engine.count), fills: [] };

    const bordering = (groupOf) => every.filter((number) => presencia.topology.parts(decoded.owners[number], (code) => groupOf(app.model.place.get(code))));
    const departments = bordering((place) => app.model.towns[place].department_code);
    let outlines = {};

    function state() {
      const now = app.store.get();
      return second ? { ...now, year: now.year2, measure: now.measure2 } : now;
    }

    function ofYear() {
      const scored = engine.scored(state());
      const vacated = (place) => (scored.high[place] && app.model.towns[place].vacated ? "left" : null);
      return { vacated: bordering(vacated), zones: bordering((place) => scored.zone[place]) };
    }

    function paintMarks(pen) {
      const arcs = arcsNow();
      const { overlays } = app.store.get();
      if (overlays.includes("zones")) {
        pen.globalAlpha = 0.85;
        stroke(pen, arcs, outlines.zones, lines.zone_band, 8);
        pen.globalAlpha = 1;
        stroke(pen, arcs, outlines.zones, lines.zones, 1.6);
      }
      if (overlays.includes("vacated")) {
        stroke(pen, arcs, outlines.vacated, "#ffffff", 5);
        stroke(pen, arcs, outlines.vacated, lines.vacated, 2.6);
      }
      app.cells?.outline(pen, map);
      outline(pen, arcs, marked.hover === null ? [] : [marked.hover], ["#12303f", 1.8]);
      outline(pen, arcs, marked.chosen, ["#ffffff", 6], ["#12303f", 3.2]);
    }

    function outline(pen, arcs, places, ...strokes) {
      if (!places.length) return;
      const around = bordering((place) => places.includes(place) || null);
      for (const [colour, width] of strokes) stroke(pen, arcs, around, colour, width);
    }

    const sheets = {
      fills: new Sheet((pen, view) => {
        fill(pen, arcsNow(), flat.towns, painted, viewer(map, view));
        app.cells?.paint(pen, view, map, state().year);
      }, { pane }),
      lines: new Sheet((pen) => {
        const { department, overlays } = app.store.get();
        if (department) veil(pen, arcsNow(), flat.towns.filter((_, place) => app.model.towns[place].department_code !== department));
        stroke(pen, arcsNow(), every, ...BORDER);
        if (overlays.includes("departments")) stroke(pen, arcsNow(), departments, lines.departments, 0.9);
      }, { pane }),
      marks: new Sheet(paintMarks, { pane }),
    };

    function paint() {
      const { measure, year } = state();
      const scale = app.scale(measure);
      const missing = presencia.scales.missing(scale);
      const fills = presencia.scales.fills(scale).map((colour, kind) => (kind === missing ? hatched : colour));
      painted = { classes: presencia.scales.sorted(app, measure, year), fills };
      sheets.fills.redraw();
    }

    function outlineYear() {
      outlines = ofYear();
      sheets.marks.redraw();
    }

    outlines = ofYear();
    Object.values(sheets).forEach((sheet) => sheet.addTo(map));
    paint();
    return {
      paint,
      outline: outlineYear,
      lines: () => sheets.lines.redraw(),
      mark: (patch) => { Object.assign(marked, patch); sheets.marks.redraw(); },
      remove: () => Object.values(sheets).forEach((sheet) => sheet.remove()),
    };
  }

  presencia.scene = scene;
})((window.presencia = window.presencia || {}));
