/* The card of a municipality or of a zone. */
(function (presencia) {
  const { node } = presencia.dom;
  const FIGURES = [
    ["coca_ha", "ha", "amount"],
    ["coca_ha_per_km2", "ha_per_km2", "density"],
    ["coca_trend_ha_per_year", "ha_per_year", "signed"],
    ["permanence", "none", "share"],
    ["eradicated_ha", "ha", "amount"],
    ["resurgence", "none", "share"],
    ["farc_events", "none", "count"],
    ["homicide_rate", "rate", "amount"],
    ["station_km", "km", "amount"],
    ["population", "none", "number"],
    ["area_km2", "km2", "number"],
  ];

  function written(value, style, say) {
    if (style === "density") return say.number(value, 2);
    if (style === "count") return say.number(value, value % 1 ? 1 : 0);
    if (style === "signed") return (value > 0 ? "+" : "") + say.amount(value);
    return say[style](value);
  }

  function figure(record, [field, unit, style], say) {
    const value = record[field];
    const label = node("dt", {}, say.text("figure_" + field));
    if (value === null) return [label, node("dd", { class: "pr-missing" }, say.text("no_value"))];
    return [label, node("dd", {}, written(value, style, say), unit === "none" ? null : node("span", { class: "pr-unit" }, " " + say.text("unit_" + unit)))];
  }

  const figures = (record, list, say) => node("dl", { class: "pr-figures" }, list.flatMap((entry) => figure(record, entry, say)));

  function tile(label, value, detail) {
    return node("div", { class: "pr-tile" }, node("dt", {}, label), node("dd", {}, node("strong", {}, value), node("span", {}, detail || "")));
  }

  function standing(town, { say, model, year }) {
    if (town.score === null) {
      const absent = town.coca_ha !== null && town.coverage !== 0;
      return [node("p", { class: "pr-quiet" }, say.text(absent ? "no_score_absent" : "no_score_missing", { year }))];
    }
    const count = say.number(model.ranked.length);
    const range = town.rank_low === null ? "" : "; " + say.text("rank_range", { low: say.number(town.rank_low), high: say.number(town.rank_high) });
    return [
      node("dl", { class: "pr-tiles" },
        tile(say.text("score"), say.score(town.score)),
        tile(say.text("rank"), say.number(town.rank), say.text("of_candidates", { count }) + range),
        tile(say.text("coverage"), say.share(town.coverage), say.text("coverage_of"))),
      town.top_share === null ? null : node("p", { class: "pr-quiet" }, say.text("top_share", { share: say.share(town.top_share) })),
    ];
  }

  function flags(town, context) {
    const { say, model, pickZone } = context;
    const left = town.high_cultivation && town.vacated;
    const chips = [
      left && ["flag_left", "pr-chip-left"],
      town.high_cultivation && !left && ["flag_high", ""],
      town.vacated && !left && ["flag_vacated", ""],
      town.pdet && ["flag_pdet", ""],
    ].filter(Boolean).map(([key, extra]) => node("li", { class: "pr-chip " + extra }, say.text(key)));
    const zone = model.zones.get(town.zone);
    if (zone) chips.push(node("li", {}, node("button", { type: "button", class: "pr-chip pr-chip-zone", click: () => pickZone(zone.id) }, say.text("flag_zone", { name: zone.name }))));
    return chips.length ? node("ul", { class: "pr-chips" }, chips) : null;
  }

  function bar(part, longest, colour) {
    const track = node("span", { class: "pr-track" + (part.value === null ? " pr-track-missing" : ""), "aria-hidden": "true" });
    track.style.width = (100 * Math.min(1, part.most / longest)).toFixed(1) + "%";
    if (part.value !== null) {
      const fill = node("span", { class: "pr-fill" });
      fill.style.width = (100 * Math.min(1, part.value / part.most || 0)).toFixed(1) + "%";
      fill.style.backgroundColor = colour;
      track.append(fill);
    }
    return node("span", { class: "pr-rail" }, track);
  }

  function row(part, longest, colour, kind, say) {
    const value = part.value === null ? say.text("no_value") : say.number(part.value, 3);
    return node("div", { class: "pr-part " + kind + (part.value === null ? " pr-missing" : "") },
      node("span", { class: "pr-part-label" }, part.label), bar(part, longest, colour), node("span", { class: "pr-part-value" }, value));
  }

  function contributions(town, { model, say }) {
    const parts = model.parts(town);
    if (town.score === null || !parts.length) return [];
    const longest = Math.max(...parts.map((part) => part.most));
    const widest = Math.max(...parts.flatMap((part) => part.members).map((member) => member.most));
    const groups = parts.map((part) =>
      node("li", {}, row(part, longest, part.colour, "pr-whole", say), part.members.map((member) => row(member, widest, part.colour, "pr-member", say))));
    return [node("h3", {}, say.text("contributions")), node("p", { class: "pr-quiet" }, say.text("contributions_hint")), node("ul", { class: "pr-parts" }, groups)];
  }

  function head(kind, name, place, context) {
    return node("header", { class: "pr-card-head" },
      node("div", {}, kind ? node("p", { class: "pr-kind" }, kind) : null, node("h2", { id: "pr-card-title" }, name), node("p", { class: "pr-place" }, place)),
      node("button", { type: "button", class: "pr-close", "aria-label": context.say.text("close_card"), click: context.close }, "×"));
  }

  function municipality(town, context) {
    const { say, model } = context;
    return [
      head(null, town.name, `${town.department} · ${town.code}`, context),
      node("div", { class: "pr-card-body" },
        flags(town, context), standing(town, context), contributions(town, context),
        node("h3", {}, say.text("history", { first: model.history(town, "coca_ha")[0].year })), presencia.chart(town, context),
        node("h3", {}, say.text("figures")), figures(town, FIGURES, say)),
    ];
  }

  function zone(record, context) {
    const { say, model, pick } = context;
    const fields = ["coca_ha", "eradicated_ha", "population", "area_km2"];
    const members = record.members.map((code) => model.town.get(code)).filter(Boolean);
    const listed = members.map((town) =>
      node("li", {}, node("button", { type: "button", class: "pr-entry", click: () => pick(town.code) }, node("span", { class: "pr-name" }, town.name), node("span", { class: "pr-value" }, say.score(town.score)))));
    return [
      head(say.text("zone_kind"), record.name, record.id, context),
      node("div", { class: "pr-card-body" },
        node("dl", { class: "pr-tiles" }, tile(say.text("zone_score"), say.score(record.score))),
        figures(record, FIGURES.filter(([field]) => fields.includes(field)), say),
        node("h3", {}, say.text("zone_members")), node("ol", { class: "pr-top" }, listed)),
    ];
  }

  presencia.card = { municipality, zone };
})((window.presencia = window.presencia || {}));
