/* Coca by cell: a picture a year under the borders, enclaves above them, and what panel, legend and card say of both. */
(function (presencia) {
  const { node, byId, apart } = presencia.dom;
  const ID = "density";
  const VEIL = 0.6; // how far municipalities pale under the cells
  const KEPT = 4; // full pictures of other years that stay decoded: 35 MB each for the whole country
  const FIRST = 8;
  const SMALL = 12; // pixels; an enclave below that is shown by a ring
  const RING = 5;
  const SHARES = ["reserve_share", "council_share", "park_share"];
  presencia.store.OVERLAYS.push(ID);

  const decode = (text) => createImageBitmap(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], { type: "image/png" }), { colorSpaceConversion: "none" });

  /* Pictures for the zooms at which a cell is smaller than a pixel: a dot shows the densest of the cells in it. */

  const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const washed = ({ colour, alpha }) => `rgb(${parts(colour).join(" ")} / ${alpha / 255})`;

  /* Class 1 is what was not measured. It alone is seen through, and its colour then not kept to the last bit. */
  function painter(colours, { colour: grey, alpha }) {
    const pixel = (colour, opaque) => new Uint32Array(Uint8Array.of(...parts(colour), opaque).buffer)[0];
    const painted = [0, pixel(grey, alpha), ...colours.map((colour) => pixel(colour, 255))];
    const classOf = new Map(painted.map((pixel, order) => [pixel, order]));
    const pen = ({ width, height }) => node("canvas", { width, height }).getContext("2d", { willReadFrequently: true });

    function read(image) {
      const { width, height } = image;
      const copy = pen(image);
      copy.drawImage(image, 0, 0);
      return { width, height, classes: Uint8Array.from(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer), (pixel) => classOf.get(pixel) ?? (pixel ? 1 : 0)) };
    }

    function gather({ width, height, classes }, factor) {
      const size = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
      const most = new Uint8Array(size.width * size.height);
      for (let row = 0, at = 0; row < height; row += 1) {
        const line = Math.floor(row / factor) * size.width;
        for (let col = 0; col < width; col += 1, at += 1) {
          if (!classes[at]) continue;
          const to = line + Math.floor(col / factor);
          if (classes[at] > most[to]) most[to] = classes[at];
        }
      }
      const copy = pen(size);
      const data = new ImageData(size.width, size.height);
      const pixels = new Uint32Array(data.data.buffer);
      most.forEach((kind, place) => { pixels[place] = painted[kind]; });
      copy.putImageData(data, 0, 0);
      return copy.canvas;
    }

    return { read, gather };
  }

  /* Small pictures are all made ready when the layer is first shown; full ones for the year and those beside it. */
  function pictures({ images, scale, overview, tint }, ready) {
    const { read, gather } = painter(scale.colours, tint);
    const small = new Map();
    const gathered = new Map();
    const full = new Map();
    let [begun, asked] = [false, 1];

    async function begin(year) {
      if (begun) return;
      begun = true;
      for (const each of [String(year), ...Object.keys(images)]) {
        if (!images[each] || small.has(each)) continue;
        small.set(each, read(await decode(images[each].overview)));
        coarse(each, asked);
        ready(each);
      }
    }

    function want(year) {
      const known = full.get(year);
      full.delete(year);
      if (known !== undefined || images[year]) full.set(year, known ?? null);
      if (known !== undefined || !images[year]) return known;
      decode(images[year].full).then((image) => {
        if (!full.has(year)) return image.close();
        full.set(year, image);
        ready(year);
      });
      for (const [old, image] of full) {
        if (full.size <= KEPT) break;
        image?.close();
        full.delete(old);
      }
      return null;
    }

    function coarse(year, factor) {
      const key = `${year}|${factor}`;
      if (!gathered.has(key) && small.has(year)) gathered.set(key, gather(small.get(year), factor));
      return gathered.get(key) && { image: gathered.get(key), pixels: overview * factor };
    }

    /* What to draw where a pixel of the full picture takes so many of the screen's. */
    return (year, side, cell, beside) => {
      begin(year);
      const [key, others] = [String(year), beside.map(String)];
      if (side * Math.max(1, cell) >= 1) {
        others.forEach(want);
        const image = want(key);
        if (image) return { image, pixels: 1 };
      }
      let factor = 1;
      while (overview * factor * side < 0.99) factor *= 2;
      asked = factor;
      return coarse(key, factor);
    };
  }

  /* Enclaves in the map's own plane at zoom 0. */

  function shaped(enclave, crs) {
    const polygons = enclave.rings.map((rings) => rings.map((ring) => ring.map(([lng, lat]) => crs.latLngToPoint(L.latLng(lat, lng), 0))));
    const bounds = L.bounds(polygons.flat(2));
    return { ...enclave, polygons, bounds, middle: bounds.getCenter(), latlngs: L.latLngBounds(enclave.rings.flat(2).map(([lng, lat]) => [lat, lng])) };
  }

  function inside(polygons, { x, y }) {
    let odd = false;
    for (const ring of polygons.flat()) {
      ring.forEach((a, order) => {
        const b = ring[(order + 1) % ring.length];
        if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
      });
    }
    return odd;
  }

  const scaleOf = (map) => map.options.crs.scale(map.getZoom()) / map.options.crs.scale(0);
  const tiny = ({ bounds }, scale) => Math.max(bounds.getSize().x, bounds.getSize().y) * scale < SMALL;

  function trace(pen, { polygons, bounds, middle }, scale, { x, y }) {
    pen.beginPath();
    if (tiny({ bounds }, scale)) return pen.arc(middle.x * scale - x, middle.y * scale - y, RING, 0, 2 * Math.PI);
    for (const ring of polygons.flat()) ring.forEach((point, order) => pen[order ? "lineTo" : "moveTo"](point.x * scale - x, point.y * scale - y));
  }

  /* Told from all other lines by its dashes: no colour is left that every eye would tell from the rest. */
  function stroke(pen, colour, width, dashes) {
    pen.setLineDash(dashes);
    Object.assign(pen, { strokeStyle: colour, lineWidth: width, lineCap: "butt" }).stroke();
  }

  function density(app) {
    const { data, say, store } = app;
    const layer = data[ID];
    const { terms, scale } = layer;
    const enclaves = new Map(layer.enclaves.map((enclave) => [enclave.id, shaped(enclave, app.map.options.crs)]));
    const get = pictures(layer, (year) => { if (shown() && years().includes(Number(year))) app.redraw?.(); });
    const shown = () => store.get().overlays.includes(ID);
    const edge = layer.edge && shaped({ rings: [[layer.edge]] }, app.map.options.crs);
    const never = layer.never && { ...layer.never };
    let opacity = 1;

    const short = (value) => say.number(value, value % 1 ? 1 : 0);
    const cell = () => short(Math.round(10 * layer.side_km) / 10);
    const fix = () => say.fix({ density_side: cell() });
    const words = (key, values) => say.text("density_" + key, { year: layer.year, known: say.number(layer.known.length), first: layer.known[0], last: layer.known[layer.known.length - 1], ...Object.fromEntries(Object.entries(terms).map(([name, value]) => [name, short(value)])), ...values });
    const span = () => (layer.known.length === 1 ? "one" : layer.known.length && layer.known.length < terms.of_last_years ? "some" : "all");
    const rule = () => words({ all: "terms", some: "terms_some", one: "terms_one" }[span()], { touch: words(terms.corners ? "touch_corner" : "touch_side") });
    const share = ({ national_share: value }) => (value === null ? null : say.percent(value, 1));
    fix();
    store.on(["lang"], fix);

    /* On the map */

    function beside(year) {
      const years = layer.years.filter((each) => layer.images[each]);
      return store.get().compare === "off" ? [years.findLast((each) => each < year), years.find((each) => each > year)].filter(Boolean) : [];
    }

    function paint(pen, { min, max }, map, year) {
      if (!shown()) return;
      pen.save();
      pen.globalCompositeOperation = "source-atop";
      pen.fillStyle = `rgb(255 255 255 / ${VEIL * opacity})`;
      pen.fillRect(min.x, min.y, max.x - min.x, max.y - min.y);
      pen.restore();
      if (layer.years.includes(year)) beyond(pen, { min, max }, map);
      if (layer.images[year]) picture(pen, { min, max }, map, year);
    }

    /* What no year measured, and what lies beyond a raster, as far as there are municipalities. */
    function beyond(pen, view, map) {
      pen.save();
      pen.globalCompositeOperation = "source-atop";
      if (never) draw(pen, view, map, never, mask);
      if (edge) {
        const { min, max } = view;
        trace(pen, edge, scaleOf(map), map.getPixelOrigin());
        pen.rect(min.x, min.y, max.x - min.x, max.y - min.y);
        pen.globalAlpha = opacity;
        pen.fillStyle = washed(layer.tint);
        pen.fill("evenodd");
      }
      pen.restore();
    }

    function mask() {
      if (never.image && !never.begun) {
        never.begun = true;
        decode(never.image).then((image) => { never.drawn = image; if (shown()) app.redraw?.(); });
      }
      return never.drawn && { image: never.drawn, pixels: 1 };
    }

    function picture(pen, view, map, year) {
      draw(pen, view, map, layer, (side) => get(year, side * pen.getTransform().a, layer.pixels_a_cell, beside(year)));
    }

    function draw(pen, { min, max }, map, { west, north, step }, find) {
      const { transformation, scale: zoomed } = { transformation: map.options.crs.transformation, scale: map.options.crs.scale(map.getZoom()) };
      const at = (x, y) => transformation.transform(L.point(x, y), zoomed).subtract(map.getPixelOrigin());
      const corner = at(west, north);
      const side = at(west + step, north).x - corner.x;
      const found = find(side);
      if (!found) return;
      const { image, pixels } = found;
      const length = side * pixels;
      const from = min.subtract(corner).divideBy(length).floor();
      const to = max.subtract(corner).divideBy(length).ceil();
      const [left, top, right, bottom] = [Math.max(0, from.x), Math.max(0, from.y), Math.min(image.width, to.x), Math.min(image.height, to.y)];
      if (right <= left || bottom <= top) return;
      pen.save();
      pen.globalAlpha = opacity;
      pen.imageSmoothingEnabled = false;
      pen.drawImage(image, left, top, right - left, bottom - top, corner.x + left * length, corner.y + top * length, (right - left) * length, (bottom - top) * length);
      pen.restore();
    }

    function outline(pen, map) {
      if (!shown()) return;
      pen.save();
      const { chosen } = store.get();
      const [scaled, origin] = [scaleOf(map), map.getPixelOrigin()];
      if (edge) {
        trace(pen, edge, scaled, origin);
        stroke(pen, "#ffffff", 2.5, []);
        stroke(pen, layer.tint.colour, 1.25, [6, 5]);
      }
      for (const enclave of enclaves.values()) {
        trace(pen, enclave, scaled, origin);
        const wide = enclave.id === chosen ? 6 : 3.6;
        const ring = tiny(enclave, scaled);
        stroke(pen, ring ? "#ffffff" : data.colours.lines.zones, wide, []);
        stroke(pen, ring ? data.colours.lines.zones : "#ffffff", wide / 2, ring ? [] : [wide, wide]);
      }
      pen.restore();
    }

    function at(map, latlng) {
      if (!shown()) return null;
      const [point, scaled] = [map.options.crs.latLngToPoint(latlng, 0), scaleOf(map)];
      const reach = document.body.dataset.pointer === "touch" ? 22 : RING + 3;
      const hit = (each) => (tiny(each, scaled) ? each.middle.distanceTo(point) * scaled <= reach : each.bounds.contains(point) && inside(each.polygons, point));
      return [...enclaves.values()].find(hit)?.id ?? null;
    }

    /* In the panel */

    function entry({ id, name, department, coca_ha: ha }) {
      return node("li", {}, node("button", { type: "button", class: "pr-entry", "data-enclave": id, click: () => app.choose(id, { fly: true, focus: true }) },
        node("span", { class: "pr-name" }, apart(name ?? id), " ", node("small", {}, [department, id].filter(Boolean).map(apart).join(" · "))),
        node("span", { class: "pr-value" }, say.number(ha) + " ha")));
    }

    const notice = () => (layer.finer ? node("p", { class: "pr-finer" }, words("finer")) : null);

    function slider() {
      const input = node("input", { type: "range", id: "pr-density-opacity", min: 0.2, max: 1, step: 0.05, input: () => {
        opacity = Number(input.value);
        input.setAttribute("aria-valuetext", say.share(opacity));
        tint();
        app.redraw();
      } });
      input.value = opacity;
      input.setAttribute("aria-valuetext", say.share(opacity));
      return node("label", { class: "pr-field" }, node("span", {}, words("opacity")), input);
    }

    function list() {
      const all = [...enclaves.values()].map(entry);
      const rest = all.splice(FIRST);
      if (!all.length) return [node("p", { class: "pr-quiet" }, words("no_enclaves")), node("p", { class: "pr-quiet" }, rule())];
      return [
        node("h2", { id: "pr-enclaves-title" }, words("enclaves_title", { count: say.number(enclaves.size) })), node("p", { class: "pr-quiet" }, rule()),
        node("ul", { class: "pr-top", id: "pr-enclaves", "aria-labelledby": "pr-enclaves-title" }, all),
        rest.length ? node("details", { class: "pr-enclaves-more" }, node("summary", {}, words("more", { count: say.number(rest.length) })), node("ul", { class: "pr-top" }, rest)) : null,
      ];
    }

    function section() {
      byId("pr-density")?.remove();
      const made = node("div", { class: "pr-section", id: "pr-density" }, notice(), slider(), list());
      byId("pr-overlay-" + ID).closest("fieldset").append(made);
      press();
    }

    function press() {
      for (const button of document.querySelectorAll("[data-enclave]")) button.setAttribute("aria-pressed", String(button.dataset.enclave === store.get().chosen));
    }

    /* In the legend */

    const swatch = (colour, kind = "") => {
      const made = node("span", { class: "pr-swatch " + kind, "aria-hidden": "true" });
      made.style.backgroundColor = colour;
      return made;
    };
    const item = (mark, text, kind = "") => node("li", { class: kind }, mark, node("span", { class: "pr-label" }, text));

    /* A row, as pictures and prints take over rows and titles alone. */
    const warning = () => node("li", { class: "pr-finer" }, node("span", { class: "pr-label" }, words("finer")));

    function rows(years) {
      const classes = scale.colours.map((colour, order) => item(swatch(colour), presencia.scales.label(scale, order, say))).reverse();
      const outlined = enclaves.size ? [item(presencia.scales.mark("enclaves"), words("enclaves"), "pr-legend-line")] : [];
      const gaps = never || edge || years.some((year) => layer.blank.includes(year));
      return [
        ...classes, item(node("span", { class: "pr-swatch pr-swatch-none", "aria-hidden": "true" }), words("none")),
        gaps ? item(swatch(washed(layer.tint), "pr-swatch-unmeasured"), words("gap")) : null, ...outlined,
        edge ? item(presencia.scales.mark("edge"), words("edge"), "pr-legend-line") : null,
      ];
    }

    function years() {
      const { year, year2, compare } = store.get();
      return compare === "off" || year === year2 ? [year] : [year, year2];
    }

    function absent(year) {
      return layer.years.length ? words("no_year", { year, first: layer.years[0], last: layer.years[layer.years.length - 1] }) : words("no_years");
    }

    function legend() {
      const lines = byId("pr-legend").querySelector(".pr-lines");
      lines.querySelector(".pr-mark-" + ID)?.closest("li").remove();
      lines.hidden = !lines.children.length;
      byId("pr-cells")?.remove();
      if (!shown()) return;
      const [known, gaps] = [years().filter((year) => layer.years.includes(year)), years().filter((year) => !layer.years.includes(year))];
      const note = (text) => node("p", { class: "pr-cells-note" }, text);
      lines.before(node("div", { id: "pr-cells", class: "pr-cells" },
        node("h2", { class: "pr-legend-title" }, words("title", { year: (known.length ? known : years()).join(" | ") })),
        layer.finer ? node("ul", {}, warning()) : null, gaps.map((year) => note(absent(year))), known.length ? node("ul", { class: "pr-classes" }, rows(known)) : null,
        note([layer.modelled ? words("modelled") : "", words("pooled")].filter(Boolean).join(" "))));
    }

    /* Swatches of municipalities pale as these do. */
    function tint() {
      byId("pr-legend").style.setProperty("--pr-paled", shown() ? 1 - VEIL * opacity : 1);
    }

    /* The card */

    const measured = (value, write) => (value === null ? words("unmeasured") : write(value));

    function figures(enclave, { entry: row }) {
      const line = (key, value, write, unit) => row(words(key), measured(value, write), unit, value === null);
      return node("dl", { class: "pr-figures" },
        line("coca", enclave.coca_ha, say.amount, "ha"), row(words("share"), share(enclave) ?? words("share_none"), undefined, share(enclave) === null),
        line("area", enclave.area_km2, short, "km2"), line("cells", enclave.cells, say.number), line({ all: "years", some: "years_some", one: "years_one" }[span()], enclave.years_with_coca, (value) => short(Math.round(10 * value) / 10)),
        line("station", enclave.station_km, say.amount, "km"), SHARES.map((key) => line(key, enclave[key], (value) => say.percent(value, value && value < 0.01 ? 1 : 0))));
    }

    function members({ municipalities }) {
      const { model } = app;
      const known = municipalities.filter((code) => model.place.has(code)).map((code) => model.towns[model.place.get(code)]);
      return node("ol", { class: "pr-top" }, known.map((town) => node("li", {}, node("button", { type: "button", class: "pr-entry", "data-choose": town.code },
        node("span", { class: "pr-name" }, apart(town.name), " ", node("small", {}, apart(town.department)))))));
    }

    function card(enclave, kit) {
      const { head, quiet, tile, rights, foot } = kit;
      return [
        head(words("enclave"), enclave.name ?? enclave.id, [enclave.department, enclave.id].filter(Boolean).map(apart).join(" · ")),
        node("div", { class: "pr-card-body" },
          node("dl", { class: "pr-tiles" },
            tile(words("coca"), say.number(enclave.coca_ha) + " ha"), tile(words("share_short"), share(enclave) ?? "–", share(enclave) === null ? words("share_none") : null),
            tile(say.text("figure_area_km2"), say.number(enclave.area_km2) + " km²", words("cells_count", { count: say.number(enclave.cells) }))),
          node("p", { class: "pr-why" }, rule()), layer.modelled ? quiet(words("modelled")) : node("p", {}),
          node("div", {}, rights([enclave])),
          node("h3", {}, words("municipalities")), members(enclave),
          node("h3", {}, words("history")), node("div", { "data-own": "" }),
          node("h3", {}, say.text("figures")), figures(enclave, kit), quiet(words("credit", { credit: layer.credit })), foot()),
      ];
    }

    function history({ by_year: hectares }) {
      const every = Object.keys(hectares).map(Number);
      return { coca_ha: every.map((year) => ({ year, value: hectares[year] ?? NaN })), eradicated_ha: [], sprayed_ha: [] };
    }

    const told = (enclave) => words(share(enclave) === null ? "chosen_alone" : "chosen", { name: enclave.name ?? enclave.id, ha: say.number(enclave.coca_ha), share: share(enclave) });
    const hint = (id) => (id ? node("span", { class: "pr-hint-value" }, words("hint", { id, ha: say.number(enclaves.get(id).coca_ha) })) : null);

    /* Once the parts of the page stand, and before anyone of them hears of a change. */
    function join() {
      const fit = () => {
        byId("pr-density").hidden = !shown();
        tint();
        legend();
      };
      section();
      fit();
      store.on(["lang"], () => { section(); fit(); });
      store.on(["overlays"], () => { fit(); app.redraw(); });
      store.on(["year", "year2", "compare"], legend);
      store.on(["chosen"], () => { press(); });
    }

    /* Where to fly, clear of the legend, which is high where it tells of cells too. */
    function goal(id) {
      if (!enclaves.has(id)) return null;
      const legend = byId("pr-legend");
      const strip = legend.offsetWidth > app.map.getSize().x / 2;
      return { bounds: enclaves.get(id).latlngs, maxZoom: 11, ...(strip ? {} : { paddingTopLeft: [legend.offsetWidth + 36, 24] }) };
    }

    return { paint, outline, at, enclave: (id) => enclaves.get(id), goal, card, history, told, hint, join };
  }

  presencia.density = density;
})((window.presencia = window.presencia || {}));
