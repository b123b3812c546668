'use client'

import { Button } from './button'

/** What failed, what still holds, what to do next, and the reference under which it was logged. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const reference = referenceOf(error)
  return (
    <>
      <p>
        The console could not read its data. Payments are not affected: the console is never in their path.
        Nothing was changed.
      </p>
      {reference !== null && (
        <p className="mt-2">
          Reference in the web process’s log: <code className="font-mono text-s text-ink">{reference}</code>
        </p>
      )}
      <div className="mt-4 flex gap-2">
        <Button look="primary" onClick={retry}>
          Try again
        </Button>
        <a
          href="/readyz"
          className="inline-flex h-8 items-center rounded-m px-3 font-medium text-accent-ink hover:underline max-md:h-11"
        >
          Health of the parts
        </a>
      </div>
    </>
  )
}

/** Next hides a server error's message from the browser and gives a digest that its log carries too. */
function referenceOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('digest' in error)) return null
  return typeof error.digest === 'string' ? error.digest : null
}
