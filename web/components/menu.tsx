import type { LucideIcon } from 'lucide-react'
import { createContext, lazy, type ReactNode, Suspense, useContext, useMemo, useState } from 'react'

export interface MenuAction {
  label: string
  icon?: LucideIcon
  run(): void
  danger?: boolean
}
export interface Submenu {
  label: string
  icon?: LucideIcon
  items: readonly MenuItem[] | (() => Promise<readonly MenuItem[]>)
}
export type MenuItem = MenuAction | Submenu | 'line'

export interface OpenMenu {
  items: readonly MenuItem[]
  label: string
  /** Where it opens, in the window: the button's box, or the pointer. */
  at: { x: number; y: number; width: number; height: number }
  /** Gets the focus back. */
  from: HTMLElement
}

type ShowMenu = (menu: Omit<OpenMenu, 'at'> & { at?: OpenMenu['at'] }) => void

const MenuContext = createContext<ShowMenu>(() => {})
export const loadMenu = () => import('./menu-popup.tsx')
const MenuPopup = lazy(loadMenu)

/** One menu serves the whole page: a list of a thousand rows has a thousand plain buttons, not a thousand menus. */
export function MenuProvider({ children }: { children: ReactNode }) {
  const [menu, setMenu] = useState<OpenMenu>()
  const show = useMemo<ShowMenu>(
    () => (wanted) => {
      const { x, y, width, height } = wanted.from.getBoundingClientRect()
      setMenu({ at: { x, y, width, height }, ...wanted })
    },
    [],
  )
  return (
    <MenuContext value={show}>
      {children}
      {menu === undefined ? null : (
        <Suspense fallback={null}>
          <MenuPopup menu={menu} onClose={() => setMenu(undefined)} />
        </Suspense>
      )}
    </MenuContext>
  )
}

export function useMenu(): ShowMenu {
  return useContext(MenuContext)
}
