import { Popover } from 'radix-ui'
import { classNames } from './class-names'
import { ofElements } from './jsx/of-elements'

export const PopoverRoot = ofElements(Popover.Root)
export const PopoverPortal = ofElements(Popover.Portal)

/** The surface of popovers and menus. */
export const popoverClass = (className?: string): string =>
  classNames(
    'z-50 max-h-(--radix-popper-available-height) max-w-[calc(100vw-24px)] overflow-y-auto rounded-m border border-line-strong bg-raised p-2 shadow-raised',
    className,
  )

export const menuItemClass =
  'flex min-h-8 items-center gap-2 rounded-s px-2 text-left text-ink outline-none data-[highlighted]:bg-sunken max-md:min-h-11'
