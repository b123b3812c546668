'use client'

import { Failure } from '../_ui/failure'
import { useLastGood } from './_shell/last-good'
import { useRecovery } from './_shell/live'

/** A refresh that failed keeps what was read before. Else it is said; the shell stays, and another page may work. */
export default function PageError({ error, retry }: { error: unknown; retry: () => void }) {
  const last = useLastGood()
  useRecovery(retry)
  if (last !== null) return last
  return (
    <section className="max-w-xl rounded-m border border-line bg-surface p-6 shadow-card">
      <h1 className="mb-2 font-semibold text-xl">This page could not be read</h1>
      <Failure error={error} retry={retry} />
    </section>
  )
}
