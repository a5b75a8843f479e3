export declare const promtool: (
  args: readonly string[],
  input?: string,
) => { readonly status: number | null; readonly output: string }
export interface PrometheusOptions {
  readonly targets: readonly string[]
  readonly rules?: readonly string[]
  readonly token?: string
  readonly intervalSeconds?: number
}
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}
export interface PrometheusRange {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [number, string])[]
}
export interface PrometheusRule {
  readonly name: string
  readonly type: 'alerting' | 'recording'
  readonly health: string
  readonly lastError?: string
  readonly state?: string
}
export interface RunningPrometheus {
  readonly url: string
  readonly pid: number
  query(expression: string): Promise<readonly PrometheusSeries[]>
  queryRange(expression: string, from: number, until: number, step: number): Promise<readonly PrometheusRange[]>
  rules(): Promise<readonly PrometheusRule[]>
  stop(): Promise<void>
}
export declare const startPrometheus: (options: PrometheusOptions) => Promise<RunningPrometheus>
