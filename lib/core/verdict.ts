import type { ConditionKind, Severity } from './condition-kinds'
import type { Money } from './money'

/** A condition that holds now, as the console shows it. */
export type ConditionView = {
  id: string
  kind: ConditionKind
  /** What it is about: a source, a service, or `all`. */
  subject: string
  severity: Severity
  since: string
  detail: Record<string, unknown>
}

export type VerdictFigures = {
  /** Any telemetry ever arrived. */
  measured: boolean
  duplicateEffects: { count: number; of: number; atRisk: readonly Money[] }
  stuckLocks: { count: number; oldestSeconds: number | null }
  orphans: number
  openCases: { p1: number; all: number }
}

/** Whose silence makes figures stale, and since when. */
export type Stale = { who: string; since: string }

export type Tone = 'bad' | 'warn' | 'ok' | 'unknown'
/** Also of figures that are not current. */
export type Standing = Tone | 'stale'
export type Verdict = { tone: Tone; text: string }
