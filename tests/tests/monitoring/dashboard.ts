// The shape that Grafana's own types give to a dashboard, its panels and their options. The dashboards follow as literals, so that a key that is not known is
// an error too. The package has no type for Prometheus' queries: `Target` is what Grafana's query editor writes.
import type { Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type { Options as Stat } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as BarGauge } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type { Options as TimeSeries, FieldConfig as Graph } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// A type as it stands in a file: enums are their values.
type Json<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Target = {
  refId: string;
  datasource: { type: "prometheus"; uid: string };
  expr: string;
  legendFormat: string;
  instant: boolean;
  range: boolean;
  format?: "time_series" | "table" | "heatmap";
};
type Fields<C> = { defaults: Omit<FieldConfig, "custom"> & { custom?: Partial<C> }; overrides: FieldConfigSource["overrides"] };
type Of<N extends string, O, C> = Json<
  Omit<Panel, "type" | "options" | "targets" | "fieldConfig"> & { type: N; options?: Partial<O>; fieldConfig: Fields<C> }
> & { targets: Target[] };
type Known = Of<"stat", Stat, {}> | Of<"bargauge", BarGauge, {}> | Of<"timeseries", TimeSeries, Graph> | Json<RowPanel>;
type Checked = Omit<Json<Dashboard>, "panels"> & { panels: Known[] };
