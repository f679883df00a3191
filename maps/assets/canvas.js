/* The municipalities on canvases of their own: fills, borders and outlines, each drawn anew only when it changes. */
(function (presencia) {
  const { node } = presencia.dom;
  const COARSE = 0.6; // pixels; a vertex nearer than this to the one before is not drawn

  /* A canvas that moves and zooms with the map as Leaflet's own does, and asks `draw` for its content. */
  const Sheet = L.Renderer.extend({
    initialize(draw, options) {
      L.Renderer.prototype.initialize.call(this, { padding: 0.15, ...options });
      this._draw = draw;
    },
    _initContainer() {
      this._container = node("canvas", { class: "pr-sheet-canvas", "aria-hidden": "true" });
      this._pen = this._container.getContext("2d");
    },
    _destroyContainer() {
      this._container.remove();
      delete this._container;
      delete this._pen;
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const { min } = this._bounds;
      const size = this._bounds.getSize();
      const canvas = this._container;
      L.DomUtil.setPosition(canvas, min);
      const ratio = L.Browser.retina ? 2 : 1;
      canvas.width = ratio * size.x;
      canvas.height = ratio * size.y;
      canvas.style.width = size.x + "px";
      canvas.style.height = size.y + "px";
      this._ratio = ratio;
      this._redraw();
    },
    /* Leaflet would leave the canvas between two pixels, and all that is drawn on it a little out of place and blurred. */
    _reset() {
      L.Renderer.prototype._reset.call(this);
      if (!this._map._animatingZoom) L.DomUtil.setPosition(this._container, this._bounds.min);
    },
    /* What several parts of the page ask for at once is drawn once. */
    redraw() {
      if (this._due) return;
      this._due = true;
      queueMicrotask(() => {
        this._due = false;
        this._redraw();
      });
    },
    _redraw() {
      if (!this._pen) return;
      const { min, max } = this._bounds;
      const pen = this._pen;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, this._container.width, this._container.height);
      pen.setTransform(this._ratio, 0, 0, this._ratio, -min.x * this._ratio, -min.y * this._ratio);
      pen.lineJoin = pen.lineCap = "round";
      this._draw(pen, { min, max });
    },
  });

  const box = () => ({ west: Infinity, north: Infinity, east: -Infinity, south: -Infinity });

  function widen(bounds, x, y) {
    bounds.west = Math.min(bounds.west, x);
    bounds.east = Math.max(bounds.east, x);
    bounds.north = Math.min(bounds.north, y);
    bounds.south = Math.max(bounds.south, y);
  }

  /* Arcs and municipalities in the map's own plane at zoom 0, so that any zoom is one multiplication. */
  function plane(map, decoded, codes) {
    const { crs } = map.options;
    const arcs = decoded.arcs.map((arc) => {
      const flat = new Float64Array(2 * arc.length);
      arc.forEach((point, order) => {
        const { x, y } = crs.latLngToPoint(point, 0);
        flat[2 * order] = x;
        flat[2 * order + 1] = y;
      });
      return flat;
    });
    const towns = codes.map((code) => ({ rings: (decoded.used.get(code) || []).flat(1), bounds: box() }));
    for (const { rings, bounds } of towns) {
      for (const number of rings.flat(1)) {
        const arc = arcs[number < 0 ? ~number : number];
        for (let at = 0; at < arc.length; at += 2) widen(bounds, arc[at], arc[at + 1]);
      }
    }
    return { arcs, towns };
  }

  /* Pixels of an arc, with those left out that lie on one another. */
  function onScreen(flat, scale, left, top) {
    const kept = [];
    const last = flat.length - 2;
    let [lastX, lastY] = [Infinity, Infinity];
    for (let at = 0; at <= last; at += 2) {
      const x = flat[at] * scale - left;
      const y = flat[at + 1] * scale - top;
      if (at === 0 || at === last || Math.abs(x - lastX) + Math.abs(y - lastY) > COARSE) {
        kept.push(x, y);
        lastX = x;
        lastY = y;
      }
    }
    return kept;
  }

  /* What is drawn stays the same until the zoom changes: panning moves the canvas only. */
  function screen(map, flat) {
    let known = "";
    let arcs = [];
    return () => {
      const { x, y } = map.getPixelOrigin();
      const key = [map.getZoom(), x, y].join();
      if (key !== known) {
        const scale = map.options.crs.scale(map.getZoom()) / map.options.crs.scale(0);
        arcs = flat.arcs.map((arc) => onScreen(arc, scale, x, y));
        known = key;
      }
      return arcs;
    };
  }

  function along(pen, arc, backwards, begin) {
    const count = arc.length;
    for (let at = 0; at < count; at += 2) {
      const place = backwards ? count - 2 - at : at;
      if (at === 0 && begin) pen.moveTo(arc[place], arc[place + 1]);
      else if (at > 0) pen.lineTo(arc[place], arc[place + 1]);
    }
  }

  /* Filling closes rings by itself; closePath takes twenty times as long as all the rest. */
  function trace(pen, arcs, rings) {
    for (const numbers of rings) {
      numbers.forEach((number, order) => along(pen, arcs[number < 0 ? ~number : number], number < 0, order === 0));
    }
  }

  function stroke(pen, arcs, numbers, colour, width) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const number of numbers) along(pen, arcs[number], false, true);
    pen.stroke();
  }

  /* The municipality at a point, found by how often a line from it meets the borders. */
  function inside({ arcs }, rings, x, y) {
    let odd = false;
    for (const number of rings.flat(1)) {
      const arc = arcs[number < 0 ? ~number : number];
      for (let at = 2; at < arc.length; at += 2) {
        const [ax, ay, bx, by] = [arc[at - 2], arc[at - 1], arc[at], arc[at + 1]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
    }
    return odd;
  }

  function finder(map, flat) {
    return (latlng) => {
      const { x, y } = map.options.crs.latLngToPoint(latlng, 0);
      return flat.towns.findIndex(({ rings, bounds }) =>
        x >= bounds.west && x <= bounds.east && y >= bounds.north && y <= bounds.south && inside(flat, rings, x, y));
    };
  }

  presencia.canvas = { Sheet, plane, screen, trace, stroke, finder };
})((window.presencia = window.presencia || {}));
