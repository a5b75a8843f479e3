export interface SettingShown {
  readonly name: string
  readonly variable: string
  readonly fallback: string
  readonly about: string
}
export declare const configurationPage: (settings: readonly SettingShown[]) => string
export interface MetricShown {
  readonly name: string
  readonly kind: string
  readonly labels: readonly string[]
  readonly help: string
}
export declare const withMetricsTable: (page: string, metrics: readonly MetricShown[]) => string
