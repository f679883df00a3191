/* The page of changes: colours by change of rank, outlines of who entered and left, lists, and a card with the causes. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const { layers, topology } = presencia;
  const NARROW = "(max-width: 760px)";
  const LISTS = [["entered", true], ["left", true], ["moved", true], ["new", false], ["gone", false]];

  const read = (id) => JSON.parse(byId(id).textContent);
  const matches = (query) => window.matchMedia(query).matches;
  const motion = () => ({ animate: !matches("(prefers-reduced-motion: reduce)") });
  const whenStill = (map, act) => (map._animatingZoom ? map.once("zoomend", act) : act());

  function room(map) {
    const box = byId("pr-card");
    if (box.hidden) return { paddingTopLeft: [24, 24], paddingBottomRight: [24, 24] };
    return matches(NARROW)
      ? { paddingTopLeft: [24, 60], paddingBottomRight: [24, box.offsetHeight + 24] }
      : { paddingTopLeft: [24, 24], paddingBottomRight: [Math.min(box.offsetWidth + 36, map.getSize().x / 2), 24] };
  }

  const fit = (map, bounds, options) => whenStill(map, () => map.fitBounds(bounds, { ...room(map), ...motion(), ...options }));

  function label(say) {
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = say.text(element.dataset.text);
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say.text(element.dataset.label));
  }

  /* Stripes for those that have a rank in one run only: a place among none is no rise and no fall. */
  function stripes(colour) {
    const tile = node("canvas", { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = colour;
    pen.lineWidth = 2.6;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift - 2, 10);
      pen.lineTo(shift + 10, -2);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function fills(colours) {
    const solid = { same: colours.same, outside: colours.outside, new: stripes(colours.up.at(-1)), gone: stripes(colours.down.at(-1)) };
    colours.up.forEach((colour, place) => { solid["up" + place] = colour; });
    colours.down.forEach((colour, place) => { solid["down" + place] = colour; });
    return solid;
  }

  function classes({ colours, steps }, say) {
    const last = steps.length - 1;
    const words = (way, place) =>
      place === last ? say.text("legend_" + way, { low: steps[place] }) : say.text(`legend_${way}_between`, { low: steps[place], high: steps[place + 1] - 1 });
    const ramp = (way) => colours[way].map((colour, place) => ({ colour, text: words(way, place) }));
    const striped = (colour) => `repeating-linear-gradient(135deg, #fff 0 3px, ${colour} 3px 5.4px)`;
    return [
      ...ramp("up").reverse(),
      { colour: colours.same, text: say.text("legend_same") },
      ...ramp("down"),
      { colour: striped(colours.up.at(-1)), text: say.text("legend_new") },
      { colour: striped(colours.down.at(-1)), text: say.text("legend_gone") },
      { colour: colours.outside, text: say.text("legend_outside") },
    ];
  }

  function swatch(colour) {
    const made = node("span", { class: "pr-swatch", "aria-hidden": "true" });
    made.style.background = colour;
    return made;
  }

  function legend(data, say) {
    const rows = classes(data, say).map(({ colour, text }) => node("li", {}, swatch(colour), node("span", {}, text)));
    const edges = ["entered", "left"].map((name) =>
      node("li", {}, node("span", { class: "pr-edge pr-edge-" + name, "aria-hidden": "true" }), node("span", {}, say.text("legend_" + name))));
    byId("pr-legend").replaceChildren(node("details", { open: matches(NARROW) ? null : "" },
      node("summary", {}, say.text("legend_title")), node("ul", { class: "pr-classes" }, rows), node("ul", { class: "pr-lines" }, edges)));
  }

  const arrow = (pair, say) => say.text("from_to", { before: pair[0], after: pair[1] });
  const rank = (town, say) => (town.moved ? arrow(town.rank, say) : town.rank.filter((each) => each !== say.text("no_value")).join(""));

  function hint(town, say) {
    const lines = town.rank
      ? [`${say.text("rank")}: ${arrow(town.rank, say)}`, `${say.text("score")}: ${arrow(town.score, say)}`, town.main]
      : [say.text("status_outside")];
    return node("div", {}, node("strong", {}, town.name), node("span", {}, town.department), lines.filter(Boolean).map((text) => node("span", {}, text)));
  }

  function tile(title, value, detail) {
    return node("div", { class: "pr-tile" }, node("dt", {}, title), node("dd", {}, node("strong", {}, value), node("span", {}, detail || "")));
  }

  function causes(town, say) {
    const main = town.main && !town.causes.includes(town.main) ? node("p", {}, town.main) : null;
    if (!town.causes.length) return [main];
    return [
      main,
      node("h3", {}, say.text("causes")),
      node("p", { class: "pr-quiet" }, say.text("causes_hint", { change: town.change })),
      node("ul", { class: "pr-causes" }, town.causes.map((text) => node("li", { class: text === town.main ? "pr-main" : null }, text))),
    ];
  }

  function card(town, { say, close }) {
    const body = town.rank
      ? [node("dl", { class: "pr-tiles" }, tile(say.text("rank"), arrow(town.rank, say), town.moved), tile(say.text("score"), arrow(town.score, say), town.change)), causes(town, say)]
      : [];
    return [
      node("header", { class: "pr-card-head" },
        node("div", {}, node("h2", {}, town.name), node("p", { class: "pr-place" }, `${town.department} · ${town.code}`)),
        node("button", { type: "button", class: "pr-close", "aria-label": say.text("close_card"), click: close }, "×")),
      node("div", { class: "pr-card-body" }, node("ul", { class: "pr-chips" }, node("li", { class: "pr-chip" }, say.text("status_" + town.status))), body.flat()),
    ];
  }

  function row(town, { say, pick }) {
    const name = node("button", { type: "button", class: "pr-pick", "data-code": town.code, "aria-pressed": "false", click: () => pick(town.code) },
      town.name, " ", node("small", {}, town.department), town.main ? node("span", { class: "pr-why" }, town.main) : null);
    return node("tr", {}, node("td", {}, name), node("td", {}, rank(town, say)));
  }

  function list(name, codes, context) {
    const { say, town } = context;
    const caption = node("caption", {}, say.text(name + "_title", { count: codes.length }));
    const head = node("thead", {}, node("tr", {}, node("th", { scope: "col" }, say.text("column_name")), node("th", { scope: "col" }, say.text("column_rank"))));
    const rows = codes.map((code) => row(town.get(code), context));
    const none = node("tr", {}, node("td", { class: "pr-quiet", colspan: "2" }, say.text("none")));
    return node("table", { class: "pr-changes", id: "pr-" + name }, caption, head, node("tbody", {}, rows.length ? rows : none));
  }

  function fillPanel(data, context) {
    byId("pr-finding").textContent = data.finding;
    byId("pr-totals").textContent = data.totals;
    const shown = LISTS.filter(([name, always]) => always || data.lists[name].length);
    byId("pr-lists").append(...shown.map(([name]) => list(name, data.lists[name], context)));
    const items = (texts) => texts.map((text) => node("li", {}, text));
    if (data.shares.length) byId("pr-shares").append(node("h2", {}, data.shares[0]), node("ul", { class: "pr-bars" }, items(data.shares.slice(1))));
    for (const name of ["settings", "notes", "sources"]) byId("pr-" + name).append(...items(data[name]));
  }

  /* On a narrow screen the panel is a sheet that opens and closes; on a wide one it stands beside the map. */
  function sheet() {
    const [open, hide] = ["pr-open", "pr-hide"].map(byId);
    const isOpen = () => document.body.classList.contains("pr-sheet");
    const set = (shown) => {
      document.body.classList.toggle("pr-sheet", shown);
      open.setAttribute("aria-expanded", String(shown));
    };
    open.addEventListener("click", () => { set(true); hide.focus(); });
    hide.addEventListener("click", () => { set(false); open.focus(); });
    return { isOpen, close: () => set(false), hide: () => hide.click() };
  }

  function controls(map, { views, attribution }, say) {
    map.attributionControl.setPrefix("Leaflet").addAttribution(node("i", {}, attribution).innerHTML);
    L.control.zoom({ position: "topleft", zoomInTitle: say.text("zoom_in"), zoomOutTitle: say.text("zoom_out") }).addTo(map);
    const bar = L.control({ position: "topleft" });
    bar.onAdd = () => {
      const buttons = Object.entries(views).filter(([, bounds]) => bounds).map(([name, bounds]) =>
        node("button", { type: "button", "data-view": name, click: () => fit(map, bounds) }, say.text("view_" + name)));
      const box = node("div", { class: "pr-views leaflet-bar" }, buttons);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    bar.addTo(map);
  }

  function edge(decoded, codes, dashed) {
    const held = new Set(codes);
    const arcs = topology.borders(decoded, (code) => (held.has(code) ? code : null));
    const still = { interactive: false, fill: false, lineJoin: "round", smoothFactor: 0.5 };
    return L.featureGroup([
      L.polyline(arcs, { ...still, color: "#ffffff", weight: dashed ? 4 : 5, opacity: 0.95 }),
      L.polyline(arcs, { ...still, color: "#1b1b1b", weight: dashed ? 1.7 : 2.4, dashArray: dashed ? "5 4" : null }),
    ]);
  }

  function draw(map, data, decoded) {
    const paint = fills(data.colours);
    const towns = layers.municipalities({ towns: data.towns }, decoded);
    towns.eachLayer((polygon) => polygon.setStyle({ fillColor: paint[polygon.options.town.class] }));
    const held = (code) => data.towns.byCode.get(code)?.department_code ?? null;
    const departments = L.polyline(topology.borders(decoded, held), { interactive: false, fill: false, color: data.colours.departments, weight: 0.9 });
    const hover = layers.highlight(decoded, ["#12303f", 1.8]);
    const chosen = layers.highlight(decoded, ["#ffffff", 7], ["#0b6fa4", 3.6]);
    for (const layer of [towns, departments, edge(decoded, data.lists.left, true), edge(decoded, data.lists.entered, false), hover.group, chosen.group]) layer.addTo(map);
    const names = presencia.points.nameplates(map, { towns: data.towns }, decoded);
    names.group.addTo(map);
    names.fit();
    towns.on("mouseover", (event) => hover.show([event.layer.options.town.code]));
    towns.on("mouseout", () => hover.show([]));
    return { towns, chosen };
  }

  function press(code) {
    for (const button of document.querySelectorAll(".pr-pick")) button.setAttribute("aria-pressed", String(button.dataset.code === code));
  }

  function selection(map, scene, decoded, context, panel) {
    const box = byId("pr-card");
    let origin = null;
    function close() {
      if (box.hidden) return;
      box.hidden = true;
      scene.chosen.show([]);
      press(null);
      byId("pr-live").textContent = context.say.text("closed");
      origin?.focus();
      if (document.activeElement === document.body) byId("pr-open").focus();
    }
    function show(code) {
      const town = context.town.get(code);
      if (box.hidden) origin = document.activeElement;
      box.replaceChildren(...card(town, { ...context, close }));
      box.hidden = false;
      scene.chosen.show([code]);
      press(code);
      panel.close();
      byId("pr-live").textContent = [town.name, town.department, town.main].filter(Boolean).join(", ");
    }
    function pick(code) {
      show(code);
      const shape = decoded.shapes.get(code);
      if (shape) fit(map, L.latLngBounds(shape.flat(2)), { maxZoom: 8.5 });
      box.focus();
    }
    function touch(code, latlng) {
      show(code);
      map.panInside(latlng, { ...room(map), ...motion() });
    }
    return { close, pick, touch };
  }

  function listen(map, scene, selected, panel, say) {
    scene.towns.bindTooltip((layer) => hint(layer.options.town, say), { sticky: true, className: "pr-hint", direction: "auto", offset: [12, 0] });
    scene.towns.on("click", (event) => selected.touch(event.layer.options.town.code, event.latlng));
    map.getContainer().setAttribute("aria-label", say.text("map"));
    map.getContainer().setAttribute("role", "region");
    document.addEventListener("pointerdown", (event) => { document.body.dataset.pointer = event.pointerType; }, true);
    document.addEventListener("keydown", (event) => {
      delete document.body.dataset.pointer;
      if (event.key !== "Escape") return;
      if (panel.isOpen()) panel.hide();
      else selected.close();
    });
  }

  function start(map) {
    const data = read("presencia-data");
    const decoded = topology.decode(read("presencia-boundaries"));
    const say = presencia.speech(data.texts);
    say.fix(data.terms);
    const town = new Map(data.towns.map((each) => [each.code, each]));
    data.towns.byCode = town;
    label(say);
    controls(map, data, say);
    fit(map, data.views.mainland, { animate: false });
    const scene = draw(map, data, decoded);
    const panel = sheet();
    const context = { say, town };
    const selected = selection(map, scene, decoded, context, panel);
    context.pick = selected.pick;
    fillPanel(data, context);
    legend(data, say);
    listen(map, scene, selected, panel, say);
    presencia.map = map;
  }

  presencia.start = start;
})((window.presencia = window.presencia || {}));
