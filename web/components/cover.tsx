import { useEffect, useState } from 'react'
import { type CoverKind, type CoverSize, coverAddress } from '../api/media.ts'
import { useAddress } from '../app/sound.tsx'
import './cover.css'

export interface CoverOf {
  kind: CoverKind
  id: string
  version: string
}

/**
 * A picture in a box that has its shape before the picture comes. `size` is the width in CSS pixels; twice as many
 * are fetched for dense screens. The picture repeats what the text beside it says, so screen readers pass it over.
 */
export function Cover({
  of,
  size,
  eager = false,
  round = false,
  className = '',
}: {
  of: CoverOf
  size: CoverSize
  eager?: boolean
  round?: boolean
  className?: string
}) {
  const at = useAddress()
  const address = at(coverAddress(of.kind, of.id, of.version, size))
  const [state, setState] = useState<{ address: string; is: 'shown' | 'failed' }>()
  const known = state?.address === address ? state.is : undefined
  const dense = denser[size]
  // Everything has a picture: one that did not come has met a server that was away.
  useEffect(() => {
    if (known !== 'failed') return
    const timer = setTimeout(() => setState(undefined), triesAgainMs)
    return () => clearTimeout(timer)
  }, [known])
  return (
    <span className={`cover ${round ? 'cover-round' : ''} ${className}`}>
      {known === 'failed' ? null : (
        <img
          key={address}
          src={address}
          srcSet={`${address} 1x, ${at(coverAddress(of.kind, of.id, of.version, dense))} 2x`}
          alt=""
          crossOrigin="anonymous"
          width={size}
          height={size}
          loading={eager ? 'eager' : 'lazy'}
          decoding="async"
          className={known === 'shown' ? 'cover-shown' : undefined}
          ref={(image) => {
            if (image?.complete === true && image.naturalWidth > 0 && known === undefined) {
              setState({ address, is: 'shown' })
            }
          }}
          onLoad={() => setState({ address, is: 'shown' })}
          onError={() => setState({ address, is: 'failed' })}
        />
      )}
    </span>
  )
}

const triesAgainMs = 15_000

const denser: Record<CoverSize, CoverSize> = { 64: 128, 128: 256, 256: 512, 512: 1024, 1024: 1024 }
