import { caseTitle } from '@/lib/core/case-classes'
import { type Names, nameIn } from '@/lib/core/names'
import { ACTION_KINDS, type ActionKind } from '@/lib/core/states'
import { FIX } from '../corrections/describe-correction'
import type { CaseEventView } from './cases'

export const RESOLUTION: Record<string, string> = {
  auto_resolved: 'Resolved by itself: a complete run no longer found it',
  corrected: 'Verified and resolved: the correction is there, and the case is found no more',
  by_hand: 'Closed by hand',
}

const facts = (data: unknown): Record<string, unknown> =>
  data !== null && typeof data === 'object' ? (data as Record<string, unknown>) : {}

const word = (value: unknown): string => (typeof value === 'string' ? value : '')
const titleOf = (name: unknown): string => caseTitle(word(name))
const fixOf = (name: unknown): string =>
  ACTION_KINDS.includes(name as ActionKind) ? FIX[name as ActionKind].noun : 'correction'

const why = (data: Record<string, unknown>): string =>
  word(data.reason) === '' ? '' : `: “${word(data.reason)}”`

const SENTENCE: Record<string, (data: Record<string, unknown>, names: Names) => string> = {
  opened: (data) => `Opened: ${titleOf(data.class)}`,
  evidence_changed: () => 'New evidence, same class',
  class_changed: (data) => `Now “${titleOf(data.to)}”, was “${titleOf(data.from)}”`,
  reopened: (data) => `Reopened: ${titleOf(data.to)}`,
  resolved: (data) => RESOLUTION[word(data.resolution)] ?? `Resolved: ${word(data.resolution)}`,
  rehomed: () => 'Its operation was merged with an older one',
  comment: (data) => `“${word(data.text)}”`,
  acknowledge: (data) => `Acknowledged${why(data)}`,
  assign: (data, names) => `Assigned to ${nameIn(names, word(data.ownerId))}${why(data)}`,
  snooze: (data) => `Snoozed${why(data)}`,
  undo: () => 'Took the last change back',
  close: (data) => `Closed by hand: “${word(data.reason)}”`,
  proposed: (data) => `Proposed a ${fixOf(data.kind)}`,
  approved: () => 'Approved; evidence is read again before anything is done',
  rejected: (data) => `Rejected: “${word(data.reason)}”`,
  withdrawn: (data) => `Withdrawn: “${word(data.reason)}”`,
  done: (data) => `Executed${data.refund === undefined ? '' : `: ${word(data.refund)} ${word(data.status)}`}`,
  refused: (data) =>
    `Refused, nothing was done: ${word(data.text) || word(data.reason).replaceAll('_', ' ')}`,
  failed: (data) => `Failed: ${word(data.text) || word(data.code) || word(data.reason).replaceAll('_', ' ')}`,
  unknown: () => 'Nobody knows yet whether it was done: it is read back',
}

/** One line of a case's history; a kind without a sentence is shown as it is named. */
export const eventSentence = ({ kind, data }: CaseEventView, names: Names): string =>
  SENTENCE[kind]?.(facts(data), names) ?? kind.replaceAll('_', ' ')

/** The run that an event came of; null = it came of something else. */
export const runOfEvent = ({ data }: CaseEventView): string | null => word(facts(data).runId) || null
