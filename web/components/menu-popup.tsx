import { ChevronRight } from 'lucide-react'
import { DropdownMenu as Radix } from 'radix-ui'
import { useEffect, useState } from 'react'
import { useWords } from '../i18n/i18n.tsx'
import type { MenuAction, MenuItem, OpenMenu, Submenu } from './menu.tsx'
import './menu.css'

export default function MenuPopup({ menu, onClose }: { menu: OpenMenu; onClose(): void }) {
  const { at } = menu
  return (
    <Radix.Root open onOpenChange={(open) => open || onClose()} modal={false}>
      <Radix.Trigger asChild>
        <span
          className="menu-anchor"
          style={{ left: at.x, top: at.y, inlineSize: at.width, blockSize: at.height }}
          aria-hidden
        />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          className="menu"
          aria-label={menu.label}
          align="end"
          sideOffset={4}
          collisionPadding={12}
          loop
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            if (document.activeElement === document.body) menu.from.focus()
          }}
        >
          <Items items={menu.items} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

function Items({ items }: { items: readonly MenuItem[] }) {
  return items.map((item, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: a menu's items never change their order while it is open.
    if (item === 'line') return <Radix.Separator key={index} className="menu-line" />
    return 'run' in item ? <Action key={item.label} item={item} /> : <Sub key={item.label} item={item} />
  })
}

function Action({ item }: { item: MenuAction }) {
  const { icon: Icon } = item
  return (
    <Radix.Item
      className={item.danger === true ? 'menu-item menu-danger' : 'menu-item'}
      onSelect={() => item.run()}
    >
      <span className="menu-icon">{Icon === undefined ? null : <Icon size={17} aria-hidden />}</span>
      {item.label}
    </Radix.Item>
  )
}

function Sub({ item }: { item: Submenu }) {
  const { icon: Icon } = item
  return (
    <Radix.Sub>
      <Radix.SubTrigger className="menu-item">
        <span className="menu-icon">{Icon === undefined ? null : <Icon size={17} aria-hidden />}</span>
        {item.label}
        <ChevronRight size={16} className="menu-more" aria-hidden />
      </Radix.SubTrigger>
      <Radix.Portal>
        <Radix.SubContent className="menu" sideOffset={2} collisionPadding={12}>
          <SubItems items={item.items} />
        </Radix.SubContent>
      </Radix.Portal>
    </Radix.Sub>
  )
}

function SubItems({ items }: { items: Submenu['items'] }) {
  const { say } = useWords()
  const [loaded, setLoaded] = useState(typeof items === 'function' ? undefined : items)
  useEffect(() => {
    if (typeof items !== 'function') return
    let wanted = true
    items().then(
      (found) => wanted && setLoaded(found),
      () => wanted && setLoaded([]),
    )
    return () => {
      wanted = false
    }
  }, [items])
  if (loaded === undefined) return <p className="menu-note">{say('loading')}</p>
  return <Items items={loaded} />
}
