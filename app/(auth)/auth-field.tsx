import type { ComponentProps } from 'react'

const FIELD = 'h-10 w-full rounded-m border border-edge bg-surface px-3 text-l max-md:h-11'

/** One field of a form before signing in. `faultId` names what tells of a fault. */
export function AuthField({
  id,
  label,
  fault,
  faultId,
  ...input
}: ComponentProps<'input'> & { id: string; label: string; fault: boolean; faultId: string }) {
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <input id={id} required aria-invalid={fault} aria-describedby={faultId} className={FIELD} {...input} />
    </div>
  )
}
