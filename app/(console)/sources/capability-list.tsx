import { CircleCheck, CircleSlash2 } from 'lucide-react'
import { explainCapabilities } from '@/lib/sources/explain-capabilities'

/** What may be done in a store, and why, one line each. */
export function CapabilityList({ raw }: { raw: unknown }) {
  const capabilities = explainCapabilities(raw)
  if (capabilities === null) return <p className="text-ink-3">Known once it was read.</p>
  return (
    <ul className="grid gap-1.5">
      {capabilities.map(({ name, offered, why }) => {
        const Icon = offered ? CircleCheck : CircleSlash2
        return (
          <li key={name} className="flex items-start gap-2">
            <Icon
              size={14}
              aria-hidden="true"
              className={`mt-[3px] shrink-0 ${offered ? 'text-processing' : 'text-ink-3'}`}
            />
            <span className="w-28 shrink-0 font-medium">
              {name}
              <span className="sr-only">{offered ? ', offered' : ', not offered'}</span>
            </span>
            <span className="text-ink-2">{why}</span>
          </li>
        )
      })}
    </ul>
  )
}
