'use client'

import type { Attempted } from '@/app/_server/attempt'
import { Button, buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { CopyButton } from '@/app/_ui/copy-button'
import { ShortId } from '@/app/_ui/short-id'
import { StateMark } from '@/app/_ui/state-mark'
import { useVerb } from '@/app/_ui/use-verb'
import { plural } from '@/lib/core/format-figure'
import { type ChainReport, verifyAudit } from './actions'

/** Whether nobody changed, removed or slipped in an entry. Asked for, since it reads all of them. */
export function VerifyCard() {
  const { send: verify, pending, answer } = useVerb(verifyAudit)
  return (
    <Card id="chain" title="Chain">
      <div className="grid gap-3 px-4 pb-4">
        <p className="text-ink-2">
          Each entry is sealed with the hash of the one before, and the head is signed with a key that the
          database does not hold. A signed export is proved elsewhere, with the public key alone.
        </p>
        <div role="status" className="empty:hidden">
          {answer !== null && <Result answer={answer} />}
        </div>
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => verify()} disabled={pending}>
            {pending ? 'Verifying …' : 'Verify the chain'}
          </Button>
          <a
            href="/api/v1/audit/export"
            download
            title="The whole chain, for npm run verify-audit; that you took it is recorded"
            className={buttonClass('quiet')}
          >
            Signed export
          </a>
        </div>
      </div>
    </Card>
  )
}

function Result({ answer }: { answer: Attempted<ChainReport> }) {
  if (answer.kind === 'not_done') return <p className="text-bad-ink">{answer.why}</p>
  const { ok, sealed, unsealed, headHash, signed, brokenAt } = answer.value
  return (
    <div className="grid gap-2">
      <p className="flex items-center gap-2 font-medium">
        <StateMark standing={ok ? 'ok' : 'bad'} />
        {ok
          ? `The chain holds: ${plural(sealed, 'entry', 'entries')} verified, ${unsealed} not sealed yet.`
          : `The chain breaks at seal ${brokenAt?.seq ?? '?'}: ${brokenAt?.why ?? 'unknown'}.`}
      </p>
      <p className={signed === null ? 'text-warn-ink' : 'text-ink-2'}>{signedText(signed)}</p>
      {headHash !== null && (
        <p className="flex flex-wrap items-center gap-2 text-ink-2">
          Head <ShortId id={headHash} /> <CopyButton text={headHash} label="Copy head hash" />
        </p>
      )}
    </div>
  )
}

const SIGNATURE: Record<NonNullable<ChainReport['signed']>['signature'], string> = {
  valid: 'its signature is valid',
  invalid: 'its signature is not valid',
  unknown_key: 'the key that signed it is not known here',
}

function signedText(signed: ChainReport['signed']): string {
  if (signed === null) return 'No head is signed: IDEMSCOPE_AUDIT_KEY is not set for the workers.'
  return `The head at seal ${signed.seq} is signed with key ${signed.keyId}: ${SIGNATURE[signed.signature]}.`
}
