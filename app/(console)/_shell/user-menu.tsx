'use client'

import { Check, LogOut } from 'lucide-react'
import { useTheme } from 'next-themes'
import { DropdownMenu } from 'radix-ui'
import { ofElements } from '@/app/_ui/jsx/of-elements'
import { menuItemClass, popoverClass } from '@/app/_ui/popover'
import { useHydrated } from '@/app/_ui/zone'

const Root = ofElements(DropdownMenu.Root)
const Portal = ofElements(DropdownMenu.Portal)

export type UserMenuProps = { name: string; role: string }

export const THEMES = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const

export function UserMenu({ name, role }: UserMenuProps) {
  const { theme, setTheme } = useTheme()
  const hydrated = useHydrated()
  return (
    <Root>
      <DropdownMenu.Trigger
        aria-label={`${initials(name)}: ${name}, ${role}, account and theme`}
        className="grid size-7 place-items-center rounded-full bg-accent-soft font-semibold text-accent-ink text-xs max-md:size-9"
      >
        {initials(name)}
      </DropdownMenu.Trigger>
      <Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className={popoverClass('w-56')}>
          <DropdownMenu.Label className="px-2 pt-1 pb-2">
            <span className="block font-semibold">{name}</span>
            <span className="block text-ink-2 text-s">Role {role}</span>
          </DropdownMenu.Label>
          <DropdownMenu.Separator className="-mx-2 my-1 h-px bg-line" />
          <DropdownMenu.RadioGroup
            aria-label="Theme"
            value={hydrated ? (theme ?? 'system') : 'system'}
            onValueChange={setTheme}
          >
            {THEMES.map(({ value, label }) => (
              <DropdownMenu.RadioItem key={value} value={value} className={menuItemClass}>
                <span className="w-4">
                  <DropdownMenu.ItemIndicator>
                    <Check size={14} aria-hidden="true" />
                  </DropdownMenu.ItemIndicator>
                </span>
                {label}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className="-mx-2 my-1 h-px bg-line" />
          <DropdownMenu.Item className={menuItemClass} onSelect={() => void signOut()}>
            <LogOut size={14} aria-hidden="true" className="w-4" /> Sign out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </Portal>
    </Root>
  )
}

/** operator-1 → O1, Ada Lovelace → AL */
function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '')
  const letters = words.length > 1 ? [words[0]?.[0], words.at(-1)?.[0]] : [name[0], name[1]]
  return letters.join('').toUpperCase()
}

/** Ends the session here and on the server, and leaves nothing of the console on the screen. */
async function signOut(): Promise<void> {
  // A server that does not answer shows on the sign-in page.
  await fetch('/api/auth/sign-out', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  }).catch(() => undefined)
  window.location.assign('/sign-in')
}
