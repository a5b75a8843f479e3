export interface AuditVerdict {
  readonly kind: 'clean' | 'vulnerable' | 'unknown'
  readonly why: string
}
export function verdictOf(text: string): AuditVerdict
export function audit(): { readonly passed: number; readonly failed: number }
