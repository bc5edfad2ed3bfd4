import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronRight, Folder, FolderTree, Library } from 'lucide-react'
import { folderQuery, librariesQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { TrackList } from '../../components/track-list.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './folders.css'

const route = getRouteApi('/inside/folders')

/** The music as it lies on the disk. */
export function Folders() {
  const { say } = useWords()
  const { library } = route.useSearch()
  return (
    <Page title={say('folders')}>
      {library === undefined ? <LibraryList /> : <FolderView library={library} />}
    </Page>
  )
}

function LibraryList() {
  const { say } = useWords()
  const libraries = useQuery(librariesQuery(useApi()))
  return (
    <Loaded query={libraries} bones={<Bones shape="row" count={3} />}>
      {({ items }) => {
        const folders = items.filter((item) => item.kind === 'folder')
        if (folders.length === 0) {
          return <EmptyState icon={FolderTree} title={say('noFoldersTitle')} text={say('noFoldersText')} />
        }
        return (
          <ul>
            {folders.map((item) => (
              <li key={item.id}>
                <Link to="/folders" search={{ library: item.id }} className="folder">
                  <Library size={20} aria-hidden />
                  <span dir="auto">{item.name}</span>
                  <span className="fine">{say('songCount', { count: item.trackCount })}</span>
                </Link>
              </li>
            ))}
          </ul>
        )
      }}
    </Loaded>
  )
}

function FolderView({ library }: { library: string }) {
  const api = useApi()
  const { say } = useWords()
  const { path = '' } = route.useSearch()
  const folder = useQuery(folderQuery(api, library, path))
  const libraries = useQuery(librariesQuery(api))
  const name = libraries.data?.items.find((item) => item.id === library)?.name ?? say('folders')
  const names = path === '' ? [] : path.split('/')
  return (
    <>
      <nav aria-label={say('folderPath')}>
        <ol className="folder-path">
          <li>
            <Link to="/folders">{say('folders')}</Link>
          </li>
          <li>
            <ChevronRight size={16} aria-hidden />
            <Link to="/folders" search={{ library }}>
              {name}
            </Link>
          </li>
          {names.map((part, index) => {
            const upTo = names.slice(0, index + 1).join('/')
            return (
              <li key={upTo}>
                <ChevronRight size={16} aria-hidden />
                <Link to="/folders" search={{ library, path: upTo }}>
                  {part}
                </Link>
              </li>
            )
          })}
        </ol>
      </nav>
      <Loaded query={folder} bones={<Bones shape="row" count={8} />}>
        {(content) => (
          <>
            <ul>
              {content.folders.map((inner) => (
                <li key={inner.path}>
                  <Link to="/folders" search={{ library, path: inner.path }} className="folder">
                    <Folder size={20} aria-hidden />
                    <span dir="auto">{inner.name}</span>
                  </Link>
                </li>
              ))}
            </ul>
            <TrackList tracks={content.tracks} label={say('songs')} />
            {content.folders.length + content.tracks.length === 0 ? (
              <EmptyState icon={Folder} title={say('emptyFolderTitle')} text={say('emptyFolderText')} />
            ) : null}
          </>
        )}
      </Loaded>
    </>
  )
}
