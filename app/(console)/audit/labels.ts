import type { BadgeTone } from '@/app/_ui/badge'

/** Outcomes are words of the verbs that wrote them. */
export function outcomeTone(outcome: string): BadgeTone {
  if (['refused', 'failed', 'rejected', 'on'].includes(outcome)) return 'bad'
  if (['unknown', 'proposed', 'requested', 'intent'].includes(outcome)) return 'warn'
  return outcome === 'done' ? 'ok' : 'plain'
}

/** The page of what an entry is about, where there is one. */
export function subjectHref(subject: string): string | null {
  if (subject.startsWith('case_')) return `/reconciliation/cases/${subject}`
  if (subject.startsWith('run_')) return `/reconciliation/runs/${subject}`
  if (subject.startsWith('sil_')) return '/alerts#silences'
  if (subject.startsWith('rcv_')) return '/alerts#receivers'
  return null
}
