import type { ComponentProps, ReactNode } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { Remember } from '../_shell/last-good'

type Props = Omit<ComponentProps<typeof PageHeader>, 'above'> & {
  /** The pages above this one, outermost first; the last step may be an id or a word without a page. */
  path?: readonly PathStep[]
  children?: ReactNode
}
export type PathStep = { label: string; href: string } | { label: string } | { id: string }

/**
 * The frame of a page: where it is, its name, what it says in a line, what can be done, and its parts. A refresh that
 * fails leaves it on the screen.
 */
export function Page({ path, children, ...header }: Props) {
  return (
    <Remember>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
        <PageHeader {...header} {...(path === undefined ? {} : { above: <Path steps={path} /> })} />
        {children}
      </div>
    </Remember>
  )
}

function Path({ steps }: { steps: readonly PathStep[] }) {
  return steps.map((step, place) => (
    <span key={'id' in step ? step.id : step.label}>
      {place > 0 && ' / '}
      {'id' in step ? (
        <span className="break-all font-mono">{step.id}</span>
      ) : 'href' in step ? (
        <PageLink href={step.href} className="hover:underline">
          {step.label}
        </PageLink>
      ) : (
        step.label
      )}
    </span>
  ))
}

/** The main part and, where there is room, another beside it; else beneath it, or `sideFirst`. */
export function BesideEachOther(props: { side: ReactNode; sideFirst?: boolean; children: ReactNode }) {
  return (
    <div className="grid gap-3 xl:grid-cols-[minmax(0,1fr)_352px]">
      <div className="grid min-w-0 content-start gap-3">{props.children}</div>
      {/* Not a grid: what sticks in it has its whole height to move in. */}
      <div
        className={classNames(
          'flex min-w-0 flex-col gap-3',
          props.sideFirst === true && 'max-xl:order-first',
        )}
      >
        {props.side}
      </div>
    </div>
  )
}

/** Two columns of cards, beneath each other where there is no room. */
export const TwoColumns = ({ children }: { children: ReactNode }) => (
  <div className="grid items-start gap-3 xl:grid-cols-2 [&>*]:min-w-0">{children}</div>
)
