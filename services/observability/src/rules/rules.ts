export type { AlertRule, Component, RuleContext, Severity } from './alert-rule.ts'
export { ALERTS } from './alerts/alerts.ts'
export { INHIBITIONS, type Inhibition } from './inhibitions.ts'
export { renderRules, type RenderOptions } from './render.ts'
