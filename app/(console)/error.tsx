'use client'

import { Failure } from '../_ui/failure'

/** The shell stays: another page may work. */
export default function PageError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <section className="max-w-xl rounded-m border border-line bg-surface p-6 shadow-card">
      <h1 className="mb-2 font-semibold text-xl">This page could not be read</h1>
      <Failure error={error} retry={retry} />
    </section>
  )
}
