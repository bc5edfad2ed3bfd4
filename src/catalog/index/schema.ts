/**
 * The catalog's tables. Inside, rows refer to each other by small integers; GUIDs are 16 bytes and stand once, in the
 * row of what they name. What repeats (names of artists, media types, sets of libraries) is a row of its own.
 *
 *   scope     a set of libraries. Each track, album and artist has one, and whoever sees any library of it sees them.
 *   entry     ordered lists: (list, key) is the position, see `lists.ts`; block counts a run of entries, so that the
 *             n-th of a million is found without walking there; member says which items there are, see `members.ts`.
 *   spelling  the ways in which tracks write an artist; the most used one is the artist's name. genre_name: the same.
 *   genres    of a track: ids of genre_name, of an album: ids of genre; separated by commas.
 *   says      of an album: what only some ask for, as the JSON of `AlbumSays` of `summary.ts`.
 *   cover     of an album: the row of the track that has its picture; cover_version: eight characters that are others where
 *             that is another picture, as far as the index can tell; empty: it has none.
 *   more      of a track: what only some clients ask for, as the JSON of `MoreTags` of `track-row.ts`; null: nothing.
 *   credits   of a track: who is heard on it, as the JSON of `TrackCredit[]` of `track-credits.ts`; artists, of an album: the
 *             rows of those whom it is by, separated by commas. Whoever reads pages of items looks there; whoever looks
 *             for an artist's, in the tables credit and album_credit.
 *   library   and path, of a track: of its first file, so that pages need not look for it; null: an upload. The files of a
 *             track are found through them, and the others, of the few that have several, by `other`: see `track-files.ts`.
 *   beside    pictures and lyrics beside the files of an album's part; size and blob: once it has been read whole.
 *   mark      what users say of items, which need not be here (yet); kind: see `marks.ts`.
 *   term      the vocabulary of search with the number of names that use a term.
 *
 * The FTS tables hold no text. Their rowid is `documentId(weight, id)` of `search/documents.ts`: the weightier an item,
 * the smaller, so that the first matches are the most popular ones and a limit never costs the best.
 */
export const schema = `
CREATE TABLE library (
  id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, fact TEXT, visible_to TEXT
);
CREATE TABLE scope (
  id INTEGER PRIMARY KEY, libraries TEXT NOT NULL UNIQUE,
  tracks INTEGER NOT NULL DEFAULT 0, albums INTEGER NOT NULL DEFAULT 0,
  duration INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE problem (
  key TEXT PRIMARY KEY, library TEXT NOT NULL, path TEXT NOT NULL, code TEXT NOT NULL, detail TEXT, at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE format (
  id INTEGER PRIMARY KEY, codec TEXT NOT NULL, media_type TEXT NOT NULL, suffix TEXT NOT NULL,
  UNIQUE (codec, media_type, suffix)
);
CREATE TABLE album (
  id INTEGER PRIMARY KEY, guid BLOB NOT NULL,
  name TEXT NOT NULL DEFAULT '', sort TEXT, artist TEXT NOT NULL DEFAULT '', artist_sort TEXT NOT NULL DEFAULT '',
  artists TEXT NOT NULL DEFAULT '', year INTEGER, genres TEXT NOT NULL DEFAULT '', tracks INTEGER NOT NULL DEFAULT 0,
  duration INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0, compilation INTEGER NOT NULL DEFAULT 0,
  cover INTEGER, cover_version TEXT NOT NULL DEFAULT '', added INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0, says TEXT NOT NULL DEFAULT '{}',
  scope INTEGER NOT NULL DEFAULT 0, document INTEGER, words INTEGER
);
CREATE UNIQUE INDEX album_guid ON album (guid);
CREATE TABLE album_part (
  album INTEGER NOT NULL, part TEXT NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (album, part)
) WITHOUT ROWID;
CREATE TABLE album_credit (
  album INTEGER NOT NULL, role INTEGER NOT NULL, position INTEGER NOT NULL, artist INTEGER NOT NULL, spelling INTEGER,
  PRIMARY KEY (album, role, position)
) WITHOUT ROWID;

CREATE TABLE track (
  id INTEGER PRIMARY KEY, guid BLOB NOT NULL, album INTEGER NOT NULL, part INTEGER NOT NULL,
  disc INTEGER, number INTEGER, title TEXT NOT NULL, sort TEXT, artist TEXT, year INTEGER,
  genres TEXT NOT NULL, duration INTEGER NOT NULL, size INTEGER NOT NULL, format INTEGER NOT NULL,
  bitrate INTEGER NOT NULL, sample_rate INTEGER NOT NULL, channels INTEGER NOT NULL, bit_depth INTEGER,
  bpm INTEGER, comment TEXT, credits TEXT NOT NULL, more TEXT, explicit INTEGER, compilation INTEGER NOT NULL, picture INTEGER NOT NULL,
  lyrics INTEGER NOT NULL, track_gain REAL, track_peak REAL, album_gain REAL, album_peak REAL,
  fingerprint BLOB NOT NULL, blob BLOB, added INTEGER NOT NULL, updated INTEGER NOT NULL, scope INTEGER NOT NULL,
  document INTEGER NOT NULL, words INTEGER NOT NULL, library INTEGER, path TEXT
);
CREATE UNIQUE INDEX track_guid ON track (guid);
CREATE INDEX track_album ON track (album, disc, number);
CREATE TABLE upload (
  track INTEGER PRIMARY KEY, library TEXT NOT NULL, user TEXT NOT NULL, file_name TEXT NOT NULL
);
CREATE INDEX upload_user ON upload (user);

CREATE TABLE file (
  library INTEGER NOT NULL, path TEXT NOT NULL, track INTEGER NOT NULL, modified_at INTEGER NOT NULL,
  lyrics_file TEXT, lyrics_modified_at INTEGER, cover_file TEXT, cover_modified_at INTEGER, other INTEGER NOT NULL,
  PRIMARY KEY (library, path, track)
) WITHOUT ROWID;
CREATE INDEX file_other ON file (track) WHERE other = 1;
CREATE VIEW files AS
  SELECT library.guid AS library, file.path, track.size, file.modified_at, ${guidText('track.guid')} AS track,
    lower(hex(track.fingerprint)) AS fingerprint, lower(hex(track.blob)) AS blob, file.lyrics_file,
    file.lyrics_modified_at, file.cover_file, file.cover_modified_at,
    ${guidText('album.guid')} AS album, track.part AS part
  FROM file
  JOIN library ON library.id = file.library
  JOIN track ON track.id = file.track
  JOIN album ON album.id = track.album;
CREATE TABLE beside (
  library INTEGER NOT NULL, path TEXT NOT NULL, album INTEGER NOT NULL, part INTEGER NOT NULL,
  modified_at INTEGER NOT NULL, size INTEGER, blob BLOB, PRIMARY KEY (library, path, album, part)
) WITHOUT ROWID;
CREATE INDEX beside_album ON beside (album, part);

CREATE TABLE artist (
  id INTEGER PRIMARY KEY, guid BLOB NOT NULL, name TEXT NOT NULL DEFAULT '', sort TEXT, musicbrainz TEXT, added INTEGER,
  tracks INTEGER NOT NULL DEFAULT 0, albums INTEGER NOT NULL DEFAULT 0,
  scope INTEGER NOT NULL DEFAULT 0, album_scope INTEGER NOT NULL DEFAULT 0, document INTEGER, words INTEGER
);
CREATE UNIQUE INDEX artist_guid ON artist (guid);
CREATE TABLE spelling (
  id INTEGER PRIMARY KEY, artist INTEGER NOT NULL, name TEXT NOT NULL, sort TEXT NOT NULL, musicbrainz TEXT NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0, UNIQUE (artist, name, sort, musicbrainz)
);
CREATE TABLE artist_count (
  artist INTEGER NOT NULL, scope INTEGER NOT NULL, tracks INTEGER NOT NULL, albums INTEGER NOT NULL,
  PRIMARY KEY (artist, scope)
) WITHOUT ROWID;
CREATE TABLE role (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE credit (
  track INTEGER NOT NULL, role INTEGER NOT NULL, position INTEGER NOT NULL, artist INTEGER NOT NULL,
  spelling INTEGER NOT NULL, detail TEXT, PRIMARY KEY (track, role, position)
) WITHOUT ROWID;

CREATE TABLE genre (id INTEGER PRIMARY KEY, fold TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '');
CREATE TABLE genre_name (
  id INTEGER PRIMARY KEY, genre INTEGER NOT NULL, name TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX genre_name_genre ON genre_name (genre);
CREATE TABLE genre_count (
  genre INTEGER NOT NULL, scope INTEGER NOT NULL, tracks INTEGER NOT NULL, albums INTEGER NOT NULL,
  PRIMARY KEY (genre, scope)
) WITHOUT ROWID;

CREATE TABLE entry (
  list INTEGER NOT NULL, key BLOB NOT NULL, item INTEGER NOT NULL, scope INTEGER NOT NULL,
  PRIMARY KEY (list, key, item)
) WITHOUT ROWID;
CREATE TABLE block (
  list INTEGER NOT NULL, first BLOB NOT NULL, scope INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (list, first, scope)
) WITHOUT ROWID;
CREATE TABLE member (
  list INTEGER NOT NULL, chunk INTEGER NOT NULL, scope INTEGER NOT NULL, items BLOB NOT NULL,
  PRIMARY KEY (list, chunk, scope)
) WITHOUT ROWID;

CREATE TABLE listener (id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE);
CREATE TABLE mark (
  listener INTEGER NOT NULL, kind INTEGER NOT NULL, item BLOB NOT NULL,
  starred INTEGER, rating INTEGER, plays INTEGER NOT NULL, played INTEGER,
  PRIMARY KEY (listener, kind, item)
) WITHOUT ROWID;
CREATE INDEX mark_item ON mark (kind, item);
CREATE INDEX mark_played ON mark (listener, kind, played) WHERE played IS NOT NULL;
CREATE INDEX mark_plays ON mark (listener, kind, plays) WHERE plays > 0;
CREATE INDEX mark_starred ON mark (listener, kind, starred) WHERE starred IS NOT NULL;
CREATE INDEX mark_rating ON mark (listener, kind, rating) WHERE rating IS NOT NULL;

CREATE TABLE term (term TEXT PRIMARY KEY, uses INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE artist_search USING fts5 (
  name, content='', contentless_delete=1, tokenize='ascii', detail=none, prefix='1 2 3'
);
CREATE VIRTUAL TABLE album_search USING fts5 (
  name, artist, genre, content='', contentless_delete=1, tokenize='ascii', detail=column, prefix='1 2 3'
);
CREATE VIRTUAL TABLE track_search USING fts5 (
  title, artist, album, genre, content='', contentless_delete=1, tokenize='ascii', detail=column, prefix='1 2 3'
);
`

/** The indexes that nothing of the projection needs while it fills empty tables. */
export const indexes = `
CREATE INDEX IF NOT EXISTS album_year ON album (year, scope);
CREATE INDEX IF NOT EXISTS album_credit_artist ON album_credit (artist, role);
CREATE INDEX IF NOT EXISTS track_fingerprint ON track (substr(fingerprint, 1, 8));
CREATE INDEX IF NOT EXISTS track_blob ON track (substr(blob, 1, 8)) WHERE blob IS NOT NULL;
CREATE INDEX IF NOT EXISTS beside_blob ON beside (substr(blob, 1, 8)) WHERE blob IS NOT NULL;
CREATE INDEX IF NOT EXISTS beside_unread ON beside (library, album) WHERE blob IS NULL;
CREATE INDEX IF NOT EXISTS credit_artist ON credit (artist, role);
`

/** SQL that writes a GUID of 16 bytes as lower-case text. */
export function guidText(column: string): string {
  const hex = `lower(hex(${column}))`
  const parts = [
    `substr(${hex}, 1, 8)`,
    ...[9, 13, 17].map((at) => `substr(${hex}, ${at}, 4)`),
    `substr(${hex}, 21)`,
  ]
  return `(${parts.join(` || '-' || `)})`
}
