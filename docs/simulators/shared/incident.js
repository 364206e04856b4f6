// A journal of a controller: what it saw, what it decided and why, and whether this build decides the same.

import { ChartGroup, Table } from "./charts.js";
import { h } from "./dom.js";
import { clock, number } from "./format.js";
import { DecisionLog } from "./view.js";

export async function showIncident(player, file, app) {
  player.pause();
  const bytes = await file.arrayBuffer();
  const { incident, points, columns } = await player.ask("journal", { bytes }, [bytes]);
  const table = new Table(columns);
  table.append(points);
  const whole = incident.end_ms - incident.start_ms;
  const charts = h("div.charts");
  const log = h("section.log", {}, h("h3", {}, "Decisions, and why"));
  app.replaceChildren(
    h("h2.title", {}, `Incident: ${file.name}`),
    verdict(incident),
    h("p", {}, `${incident.deployment_name} ${incident.build_id}, `, Object.entries(incident.groups).map(([name, algorithm]) => `${name}: ${algorithm}`).join("; "),
      `. From ${new Date(incident.start_ms).toISOString()}, ${clock(whole, whole, 0)} long, ${number(incident.entries)} inputs.`),
    h("p", {}, h("a", { href: location.pathname }, "Back to the simulator")),
    charts, log,
  );
  const group = new ChartGroup(charts);
  group.add({ title: "Workers and backlog", height: 210, markers: table, series: [
    { table, name: "backlog", label: "backlog", ink: "vermillion", fill: true },
    { table, name: "ready", label: "ready", ink: "blue", format: "workers", step: true },
    { table, name: "starting", label: "starting", ink: "orange", dash: "dash", format: "workers", step: true },
    { table, name: "desired_workers", label: "decided", ink: "purple", dash: "dot", format: "workers", step: true },
  ] });
  group.add({ title: "Tasks a second, as the statistics said", series: [
    { table, name: "arrival_rate", label: "arriving", ink: "purple", format: "rate", step: true },
    { table, name: "dispatch_rate", label: "taken by workers", ink: "green", dash: "dash", format: "rate", step: true },
  ] });
  const show = () => {
    group.follow(whole / 1000, whole / 1000);
    group.draw();
  };
  group.onZoom = show;
  show();
  const view = new DecisionLog(log, (line) => group.jump(line.t_ms / 1000, Math.min(60, whole / 4000)));
  view.show(incident.log, whole);
}

function verdict({ different_steps: different, entries, decisions, differences }) {
  if (different === 0) {
    return h("p.verdict", {}, `Replayed: all ${number(decisions)} decisions on ${number(entries)} inputs come out the same.`);
  }
  return h("div.verdict.bad", {}, h("p", {}, `Replayed: ${number(different)} of ${number(entries)} steps come out differently with this build.`),
    h("ul", {}, ...differences.map((text) => h("li", {}, text))));
}
