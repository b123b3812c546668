'use client'

import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { classNames } from './class-names'
import { ofElements } from './jsx/of-elements'

export const DialogRoot = ofElements(Radix.Root)
export const DialogPortal = ofElements(Radix.Portal)

type Props = {
  open: boolean
  onClose: () => void
  title: ReactNode
  /** One line under the title: the consequence. */
  lead?: ReactNode
  /** `danger` = what cannot be taken back. */
  tone?: 'plain' | 'danger'
  wide?: boolean
  /** Nothing in it takes the focus: where it is long, it is scrolled by keyboard as a whole. */
  onlyText?: boolean
  footer?: ReactNode
  children: ReactNode
}

/**
 * A dialog. The focus starts on what carries `data-autofocus`, which is Cancel wherever something is changed. On a phone
 * it comes from below.
 */
export function Dialog(props: Props) {
  const { open, onClose, title, lead, tone = 'plain', wide, onlyText = false, footer, children } = props
  return (
    <DialogRoot open={open} onOpenChange={(next) => !next && onClose()}>
      <DialogPortal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-shade" />
        <Radix.Content
          aria-describedby={undefined}
          data-tone={tone}
          onOpenAutoFocus={(event) => {
            const content = event.currentTarget
            const first = content instanceof HTMLElement && content.querySelector('[data-autofocus]')
            if (!(first instanceof HTMLElement)) return
            event.preventDefault()
            first.focus()
          }}
          className={classNames(
            'fixed z-50 flex max-h-[88dvh] flex-col overflow-hidden border bg-raised shadow-raised outline-none',
            'md:top-[8dvh] md:left-1/2 md:w-[calc(100vw-48px)] md:-translate-x-1/2 md:rounded-[12px]',
            'max-md:inset-x-0 max-md:bottom-0 max-md:rounded-t-[14px]',
            wide ? 'md:max-w-2xl' : 'md:max-w-lg',
            tone === 'danger' ? 'border-bad-line' : 'border-line-strong',
          )}
        >
          <header
            className={classNames(
              'flex items-start gap-4 border-b px-5 py-3.5',
              tone === 'danger' ? 'border-bad-line bg-bad-soft' : 'border-line',
            )}
          >
            <div className="min-w-0 flex-1">
              <Radix.Title asChild>
                <h2 className={classNames('font-semibold text-l', tone === 'danger' && 'text-bad-ink')}>
                  {title}
                </h2>
              </Radix.Title>
              {lead !== undefined && <p className="mt-0.5 text-ink-2">{lead}</p>}
            </div>
            <Radix.Close
              aria-label="Close"
              className="-mt-1 -mr-2 grid size-8 shrink-0 place-items-center rounded-m text-ink-2 hover:bg-sunken max-md:size-11"
            >
              <X size={16} aria-hidden="true" />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4" tabIndex={onlyText ? 0 : undefined}>
            {children}
          </div>
          {footer !== undefined && (
            <footer className="flex flex-wrap items-center justify-end gap-2 border-line border-t px-5 py-3 max-md:pb-6">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </DialogPortal>
    </DialogRoot>
  )
}
