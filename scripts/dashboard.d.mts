export interface DashboardPanel {
  readonly title: string
  readonly unit: string
  /** Expression and legend. */
  readonly queries: readonly (readonly [string, string])[]
}
export declare const PANELS: readonly DashboardPanel[]
export declare const DASHBOARD_FILE: string
export declare const dashboardText: () => string
