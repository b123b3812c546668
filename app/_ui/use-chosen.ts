'use client'

import { useState } from 'react'

/** All that matched when it was chosen: exactly these, whatever arrives later. */
export type Frozen = { ids: readonly string[]; more: boolean }

export type Chosen = ReturnType<typeof useChosen>

type State = { resetKey: string; ids: readonly string[]; frozen: Frozen | null }

/** Which rows are chosen. What has gone meanwhile falls out; another query begins anew. */
export function useChosen(present: readonly string[], resetKey: string) {
  const [state, setState] = useState<State>({ resetKey, ids: [], frozen: null })
  const current = state.resetKey === resetKey ? state : { ids: [], frozen: null }
  const { frozen } = current
  const ids = frozen?.ids ?? current.ids.filter((id) => present.includes(id))
  const set = (next: readonly string[]) => setState({ resetKey, ids: next, frozen: null })
  const page = present.length > 0 && present.every((id) => ids.includes(id))
  return {
    ids: [...ids],
    frozen,
    page,
    toggle: (id: string) => set(ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]),
    togglePage: () => set(page ? [] : present),
    freeze: (all: Frozen) => setState({ resetKey, ids: all.ids, frozen: all }),
    clear: () => set([]),
    keep: (kept: readonly string[]) => set(kept),
  }
}
