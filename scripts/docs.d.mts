export interface SettingShown {
  readonly name: string
  readonly variable: string
  readonly fallback: string
  readonly about: string
}
export declare const configurationPage: (settings: readonly SettingShown[]) => string
