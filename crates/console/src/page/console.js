// The page of the guarded listener. The token lives in a variable of this file and nowhere else; all text from the answers is set as text.
"use strict";

let token = "";
let cursor = null;
let current = null;

const SVG = "http://www.w3.org/2000/svg";
const find = (id) => document.getElementById(id);

/** Makes an element; children are elements or text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

function draw(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.textContent = text;
  return element;
}

function say(text) {
  find("status").textContent = text;
}

/** Asks the listener. Without a good token it asks the person for one. */
async function ask(path) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { headers, cache: "no-store", redirect: "manual" });
  if (answer.type === "opaqueredirect") throw new Error("It belongs to another instance: open the page of that one, see Pipeline.");
  const body = await answer.json();
  if (answer.status === 401) {
    const was = token;
    token = "";
    find("sign-in").hidden = false;
    find("token").focus();
    throw new Error(was ? "The token is not good for reading." : "A token is needed.");
  }
  if (!answer.ok) throw new Error(body.detail || body.title);
  find("sign-in").hidden = true;
  return body;
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message);
  }
}

function money(minor, currency) {
  if (!currency) return (minor / 100).toFixed(2);
  try {
    const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return `${minor} ${currency}`;
  }
}

const number = (value) => (value === null || value === undefined ? "unknown" : String(Math.round(value * 100) / 100));
const day = (time) => make("time", { datetime: time }, time.slice(0, 10));

function facts(pairs) {
  const list = make("dl", { class: "facts" });
  pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").forEach(([name, value]) => {
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  });
  return list;
}

function table(caption, heads, rows) {
  const kind = (cell) => (typeof cell === "number" ? { class: "number" } : {});
  const head = make("tr", {}, ...heads.map((text, index) => make("th", { scope: "col", ...kind(rows[0] && rows[0][index]) }, text)));
  const cells = (row) => row.map((cell) => make("td", kind(cell), cell === null || cell === undefined ? "unknown" : String(cell)));
  const body = rows.map((row) => make("tr", {}, ...cells(row)));
  const whole = make("table", {}, make("caption", { class: "note" }, caption), make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption }, whole);
}

function link(address, customer) {
  if (!/^https?:\/\//.test(address || "")) return "";
  return make("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, `Open ${customer} elsewhere`);
}

function signalItem(signal, withCustomer) {
  const open = make("button", { type: "button" }, signal.customer);
  open.addEventListener("click", () => attempt(() => showCustomer(signal.customer)));
  const title = make("h3", {}, ...(withCustomer ? [open] : []), make("span", {}, signal.object ? `${signal.rule}: ${signal.object}` : signal.rule));
  const item = make("li", { class: `signal ${signal.severity}` }, title, make("p", {}, signal.summary));
  item.append(facts([
    ["Severity", signal.severity], ["Kind", signal.kind.replace("_", " ")], ["State", signal.state], ["Since", day(signal.raised_at)],
    ["Owner", signal.owner || "nobody"], ["Pays a month", money(signal.mrr_minor, signal.currency)], ["Priority", number(signal.priority)],
    ["Days to renewal", signal.days_to_renewal === null ? null : String(signal.days_to_renewal)],
  ]));
  const reasons = make("details", {}, make("summary", {}, "Reasons"));
  reasons.append(table(`Reasons of ${signal.rule}`, ["feature", "is", "", "limit"],
    signal.reasons.map((one) => [one.feature, one.value, one.operator, one.threshold])));
  if (signal.playbook) reasons.append(make("p", {}, `What to do: ${signal.playbook}`));
  item.append(reasons, link(signal.link, signal.customer));
  return item;
}

async function showSignals(next) {
  const query = new URLSearchParams({ limit: "25" });
  ["kind", "state"].forEach((name) => find(name).value && query.set(name, find(name).value));
  if (next) query.set("cursor", next);
  const page = await ask(`v1/signals?${query}`);
  const list = find("signal-list");
  if (!next) list.replaceChildren();
  list.append(...page.signals.map((signal) => signalItem(signal, true)));
  cursor = page.cursor;
  find("more").hidden = !cursor;
  const stale = Math.max(0, ...page.as_of.map((one) => one.staleness_seconds || 0));
  const cut = page.listed_count < page.open_count ? " Only the most valuable are listed." : "";
  const part = page.as_of.length < page.journal_partitions ? " on this instance; others have more partitions" : "";
  find("signals-note").textContent = `${page.open_count} are open${part}. Journal time is ${duration(stale)} behind.${cut}`;
  say("");
}

function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

/** Health by component: a bar for the score of each, and its share of the weight. */
function contributionsChart(parts) {
  const height = 28 * parts.length + 8;
  const words = parts.map((part) => `${part.component} ${part.score}`).join(", ");
  const chart = draw("svg", { viewBox: `0 0 440 ${height}`, role: "img", "aria-label": `Health by component: ${words}` });
  parts.forEach((part, index) => {
    const y = 28 * index + 4;
    chart.append(
      draw("text", { x: 0, y: y + 16 }, part.component),
      draw("rect", { x: 160, y, width: 170, height: 22, class: "axis", fill: "none" }),
      draw("rect", { x: 160, y, width: Math.max(0, Math.min(100, part.score)) * 1.7, height: 22, class: "bar" }),
      draw("text", { x: 338, y: y + 16 }, `${part.score}`),
      draw("text", { x: 380, y: y + 16, class: "soft" }, part.share > 0 ? `${Math.round(part.share * 100)} %` : "at most"),
    );
  });
  return chart;
}

/** A dot for each entry, in three rows. */
function timelineChart(entries) {
  const rows = ["event", "raised", "ended"];
  const times = entries.map((entry) => Date.parse(entry.time));
  const first = Math.min(...times), last = Math.max(...times, first + 1);
  const counts = rows.map((row) => `${entries.filter((entry) => entry.what === row).length} ${row}`).join(", ");
  const chart = draw("svg", { viewBox: "0 0 440 120", role: "img", "aria-label": `Timeline: ${counts}` });
  rows.forEach((row, index) => {
    const y = 20 + 30 * index;
    chart.append(draw("text", { x: 0, y: y + 4 }, row), draw("line", { x1: 60, x2: 436, y1: y, y2: y, class: "axis" }));
    entries.filter((entry) => entry.what === row).forEach((entry) => {
      const dot = draw("circle", { cx: 64 + (368 * (Date.parse(entry.time) - first)) / (last - first), cy: y, r: 4, class: row });
      dot.append(draw("title", {}, `${entry.time.slice(0, 10)} ${entry.name} ${entry.object}`));
      chart.append(dot);
    });
  });
  chart.append(
    draw("text", { x: 60, y: 112, class: "soft" }, entries[0].time.slice(0, 10)),
    draw("text", { x: 436, y: 112, class: "soft", "text-anchor": "end" }, entries[entries.length - 1].time.slice(0, 10)),
  );
  return chart;
}

async function showCustomer(id) {
  current = id;
  find("customer-id").value = id;
  const path = `v1/customers/${encodeURIComponent(id)}`;
  const [customer, timeline] = await Promise.all([ask(path), ask(`${path}/timeline`)]);
  if (current !== id) return;
  const health = make("span", { class: `grade-${customer.grade}` }, customer.health === null ? "unknown" : `${customer.health} (${customer.grade})`);
  const detail = find("customer-detail");
  detail.replaceChildren(
    make("h3", {}, customer.customer),
    facts([
      ["Health", health], ["Trend", customer.trend], ["Stage", customer.stage], ["At risk", customer.at_risk ? "yes" : "no"],
      ["Pays a month", money(customer.mrr_minor, customer.currency)], ["Owner", customer.owner || "nobody"], ["Customer since", day(customer.since)],
    ]),
    link(customer.link, customer.customer),
    make("h3", {}, "How the health comes about"),
    customer.contributions.length ? contributionsChart(customer.contributions) : make("p", {}, "Nothing is known yet that it could be made from."),
    make("h3", {}, "Open signals"),
    customer.open_signals.length ? make("ol", {}, ...customer.open_signals.map((signal) => signalItem(signal, false))) : make("p", {}, "None."),
    make("h3", {}, "Timeline"),
  );
  if (!timeline.has_events) detail.append(make("p", { class: "note" }, "The journal topic cannot be read at present: these are the signals alone."));
  if (timeline.entries.length) {
    const rows = timeline.entries.slice().reverse().map((entry) => [entry.time.replace("T", " ").slice(0, 16), entry.what, entry.name, entry.object]);
    const all = make("details", {}, make("summary", {}, `All ${rows.length} entries${timeline.is_cut ? "; older ones are not shown" : ""}`));
    all.append(table("Timeline, latest first", ["time (UTC)", "what", "name", "about"], rows));
    detail.append(timelineChart(timeline.entries), all);
  } else {
    detail.append(make("p", {}, "Nothing."));
  }
  const features = make("details", {}, make("summary", {}, `${customer.features.length} features`));
  features.append(table("Features", ["feature", "value", "unit"], customer.features.map((one) => [one.feature, one.label || Math.round(one.value * 1000) / 1000, one.unit])));
  detail.append(features);
  find("customer-title").focus();
  say("");
}

async function showPipeline() {
  const state = await ask("v1/partitions");
  const rows = state.partitions.map((one) => [
    one.number, one.state, one.owner, one.rule_set, one.customers, one.as_of && one.as_of.offset,
    one.as_of && one.as_of.journal_time ? one.as_of.journal_time.replace("T", " ").slice(0, 19) : null,
  ]);
  find("pipeline-detail").replaceChildren(
    facts([["Instance", state.instance], ["Partitions here", `${rows.length} of ${state.journal_partitions}`], ["Paused", state.paused.join(", ") || "no"]]),
    table("Partitions of this instance", ["partition", "state", "owner", "rule set", "customers", "offset", "journal time (UTC)"], rows),
    table("Partitions of other instances", ["partition", "owner", "address"], state.elsewhere.map((one) => [one.number, one.owner, one.url])),
  );
}

async function showAll() {
  await showSignals(null);
  await showPipeline();
}

find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("token").value;
  find("token").value = "";
  attempt(async () => {
    await showAll();
    find("main").focus();
  });
});
find("find").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => showCustomer(find("customer-id").value.trim()));
});
find("filter").addEventListener("submit", (event) => event.preventDefault());
["kind", "state"].forEach((name) => find(name).addEventListener("change", () => attempt(() => showSignals(null))));
find("refresh").addEventListener("click", () => attempt(showAll));
find("more").addEventListener("click", () => attempt(() => showSignals(cursor)));
attempt(showAll);
