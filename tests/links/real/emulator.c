// Joins two TUN devices by a link that delays, loses, reorders and limits packets. Each direction has separate settings.
// usage: emulator SEED CLIENT_DEVICE SERVER_DEVICE
// Reads one command per line from stdin and answers each with one line; ends with stdin. Times are in milliseconds, one way.
//
//   set DIRECTION delay=150 jitter=50 loss=5 reorder=0 rate=0 queue=1000   DIRECTION: up (client to server), down, both
//       loss and reorder in per cent; rate in kbit/s for each TCP connection, 0: unlimited; queue: the longest delay by the rate
//   block, unblock   no packet passes, in either direction
//   forget           all further packets of the current TCP connections are dropped, without a RST; new connections work
//   reset            sends a RST to both ends of each TCP connection
//   stats
//
// A connection's packets keep their order unless `reorder` is set. Only IPv4 passes. At most 8,192 TCP connections are
// distinguished; packets of further ones pass without a rate.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { up = 0, down = 1, directions = 2 };
enum { tcp = 6, flag_fin = 0x01, flag_syn = 0x02, flag_rst = 0x04, flag_ack = 0x10 };
enum { packet_max = 65536, connections_max = 8192, reads_at_once = 64 };

typedef struct {
  double delay_ms, jitter_ms, loss, reorder, kbit_per_s, queue_ms;
  bool blocked;
} Settings;

/** One TCP connection, identified by its addresses and ports as the client sends them. */
typedef struct {
  bool used, forgotten;
  uint32_t client_address, server_address;
  uint16_t client_port, server_port;
  uint64_t line_free_us[directions], last_due_us[directions];
  /** The last acknowledgement number from the sender of this direction, and the sequence number after the last segment
   *  delivered to it. A RST to it must carry one of them, because it may not have acknowledged that segment yet. */
  uint32_t acknowledged[directions], delivered[directions];
  bool has_acknowledged[directions];
} Connection;

typedef struct {
  uint64_t due_us, order;
  int direction, length;
  uint8_t *bytes;
  /** NULL for other packets than TCP. */
  Connection *connection;
} Packet;

static Settings settings[directions];
static int device[directions]; // of the sender of each direction
static Connection connections[connections_max];
static Packet *heap;
static int heap_size, heap_capacity;
static uint64_t packet_count, seed;
static struct { uint64_t read, lost, overflown, sent; } counts[directions];

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/** SplitMix64: 0 up to 1. */
static double draw(void) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void fail(const char *what) {
  fprintf(stderr, "emulator: %s: %s\n", what, strerror(errno));
  exit(1);
}

// --- the packets under way, the next one first -----------------------------------------------------------------

static bool is_before(const Packet *one, const Packet *other) {
  return one->due_us != other->due_us ? one->due_us < other->due_us : one->order < other->order;
}

static void swap(int one, int other) {
  Packet packet = heap[one];
  heap[one] = heap[other];
  heap[other] = packet;
}

static void push(Packet packet) {
  if (heap_size == heap_capacity) {
    heap_capacity = heap_capacity == 0 ? 1024 : heap_capacity * 2;
    heap = realloc(heap, (size_t)heap_capacity * sizeof *heap);
    if (heap == NULL) fail("memory");
  }
  int place = heap_size++;
  heap[place] = packet;
  for (int parent; place > 0 && is_before(&heap[place], &heap[parent = (place - 1) / 2]); place = parent) swap(place, parent);
}

static Packet pop(void) {
  Packet first = heap[0];
  heap[0] = heap[--heap_size];
  for (int place = 0;;) {
    int least = place;
    for (int child = 2 * place + 1; child <= 2 * place + 2 && child < heap_size; child += 1)
      if (is_before(&heap[child], &heap[least])) least = child;
    if (least == place) return first;
    swap(place, least);
    place = least;
  }
}

// --- TCP connections -------------------------------------------------------------------------------------------

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return (uint32_t)read16(at) << 16 | read16(at + 2); }
static void write16(uint8_t *at, uint32_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static void write32(uint8_t *at, uint32_t value) { write16(at, value >> 16), write16(at + 2, value); }

/** The connection of a packet; NULL if it has none. `*segment` becomes its TCP header. */
static Connection *connection_of(const uint8_t *packet, int length, int direction, const uint8_t **segment) {
  int header = (packet[0] & 15) * 4;
  if (packet[9] != tcp || length < header + 20) return NULL;
  const uint8_t *head = *segment = packet + header;
  uint32_t source = read32(packet + 12), target = read32(packet + 16);
  uint16_t source_port = read16(head), target_port = read16(head + 2);
  Connection wanted = {
    .client_address = direction == up ? source : target, .server_address = direction == up ? target : source,
    .client_port = direction == up ? source_port : target_port, .server_port = direction == up ? target_port : source_port,
  };
  uint32_t hash = (wanted.client_address * 31u + wanted.client_port) * 2654435761u + wanted.server_port;
  for (int probe = 0; probe < connections_max; probe += 1) {
    Connection *one = &connections[(hash + (uint32_t)probe) % connections_max];
    bool is_wanted = one->client_address == wanted.client_address && one->client_port == wanted.client_port &&
                     one->server_address == wanted.server_address && one->server_port == wanted.server_port;
    if (one->used && !is_wanted) continue;
    // A new connection may have the addresses and ports of an ended one.
    bool begins = direction == up && (head[13] & (flag_syn | flag_ack)) == flag_syn;
    if (!one->used || (begins && one->forgotten)) *one = wanted, one->used = true;
    return one;
  }
  return NULL;
}

static uint16_t checksum(uint32_t sum, const uint8_t *bytes, int length) {
  for (int index = 0; index + 1 < length; index += 2) sum += read16(bytes + index);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/** Sends a RST to the end that sends in this direction, as its peer would. */
static void send_reset(const Connection *one, int direction, uint32_t sequence) {
  uint8_t packet[40] = {0}, *segment = packet + 20;
  uint32_t from = direction == up ? one->server_address : one->client_address;
  uint32_t to = direction == up ? one->client_address : one->server_address;
  packet[0] = 0x45, packet[3] = sizeof packet, packet[8] = 64, packet[9] = tcp;
  write32(packet + 12, from), write32(packet + 16, to);
  write16(packet + 10, checksum(0, packet, 20));
  write16(segment, direction == up ? one->server_port : one->client_port);
  write16(segment + 2, direction == up ? one->client_port : one->server_port);
  write32(segment + 4, sequence);
  segment[12] = 0x50, segment[13] = flag_rst;
  uint32_t pseudo = (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + tcp + 20;
  write16(segment + 16, checksum(pseudo, segment, 20));
  if (write(device[direction], packet, sizeof packet) < 0) counts[direction].lost += 1;
}

static int reset_all(void) {
  int count = 0;
  for (Connection *one = connections; one < connections + connections_max; one += 1) {
    if (!one->used || one->forgotten || !one->has_acknowledged[up] || !one->has_acknowledged[down]) continue;
    for (int direction = up; direction <= down; direction += 1) {
      send_reset(one, direction, one->acknowledged[direction]);
      send_reset(one, direction, one->delivered[direction]);
    }
    one->forgotten = true;
    count += 1;
  }
  return count;
}

// --- one packet ------------------------------------------------------------------------------------------------

static void take(const uint8_t *bytes, int length, int direction) {
  const Settings *set = &settings[direction];
  const uint8_t *segment = NULL;
  if (length < 20 || bytes[0] >> 4 != 4) return;
  counts[direction].read += 1;
  Connection *one = connection_of(bytes, length, direction, &segment);
  if (one != NULL && (segment[13] & flag_ack))
    one->acknowledged[direction] = read32(segment + 8), one->has_acknowledged[direction] = true;
  if (set->blocked || (one != NULL && one->forgotten) || draw() * 100 < set->loss) {
    counts[direction].lost += 1;
    return;
  }
  uint64_t now = now_us(), due = now;
  if (one != NULL && set->kbit_per_s > 0) {
    uint64_t starts = one->line_free_us[direction] > now ? one->line_free_us[direction] : now;
    if ((double)(starts - now) > set->queue_ms * 1000) {
      counts[direction].overflown += 1;
      return;
    }
    due = one->line_free_us[direction] = starts + (uint64_t)(length * 8 * 1000.0 / set->kbit_per_s);
  }
  double delay_ms = set->delay_ms + (2 * draw() - 1) * set->jitter_ms;
  if (draw() * 100 < set->reorder) delay_ms /= 3;
  else if (one != NULL && due + (uint64_t)(delay_ms * 1000) < one->last_due_us[direction])
    delay_ms = (double)(one->last_due_us[direction] - due) / 1000;
  due += delay_ms > 0 ? (uint64_t)(delay_ms * 1000) : 0;
  if (one != NULL && due > one->last_due_us[direction]) one->last_due_us[direction] = due;
  Packet packet = {due, packet_count++, direction, length, malloc((size_t)length), one};
  if (packet.bytes == NULL) fail("memory");
  memcpy(packet.bytes, bytes, (size_t)length);
  push(packet);
}

static void note_delivery(const Packet *packet) {
  const uint8_t *segment = packet->bytes + (packet->bytes[0] & 15) * 4;
  uint32_t data = (uint32_t)(packet->length - (segment - packet->bytes) - (segment[12] >> 4) * 4);
  uint32_t counted = data + ((segment[13] & flag_syn) != 0) + ((segment[13] & flag_fin) != 0);
  packet->connection->delivered[1 - packet->direction] = read32(segment + 4) + counted;
}

static void deliver_due(void) {
  while (heap_size > 0 && heap[0].due_us <= now_us()) {
    Packet packet = pop();
    if (packet.connection != NULL) note_delivery(&packet);
    // To the device of the other end.
    if (write(device[1 - packet.direction], packet.bytes, (size_t)packet.length) < 0) counts[packet.direction].lost += 1;
    else counts[packet.direction].sent += 1;
    free(packet.bytes);
  }
}

// --- commands --------------------------------------------------------------------------------------------------

static bool set_one(Settings *set, const char *word) {
  const struct { const char *name; double *value; } known[] = {
    {"delay=", &set->delay_ms}, {"jitter=", &set->jitter_ms}, {"loss=", &set->loss},
    {"reorder=", &set->reorder}, {"rate=", &set->kbit_per_s}, {"queue=", &set->queue_ms},
  };
  for (size_t index = 0; index < sizeof known / sizeof *known; index += 1) {
    size_t length = strlen(known[index].name);
    if (strncmp(word, known[index].name, length) != 0) continue;
    *known[index].value = atof(word + length);
    return true;
  }
  return false;
}

static bool set_all(char *words) {
  char *where = strtok(words, " ");
  Settings chosen = {.queue_ms = 1000};
  for (char *word = strtok(NULL, " "); word != NULL; word = strtok(NULL, " "))
    if (!set_one(&chosen, word)) return false;
  if (where == NULL) return false;
  if (strcmp(where, "down") != 0) settings[up] = chosen;
  if (strcmp(where, "up") != 0) settings[down] = chosen;
  return strcmp(where, "up") == 0 || strcmp(where, "down") == 0 || strcmp(where, "both") == 0;
}

static void obey(char *line) {
  int done = -1;
  if (strncmp(line, "set ", 4) == 0) done = set_all(line + 4) ? 0 : -1;
  else if (strcmp(line, "block") == 0 || strcmp(line, "unblock") == 0)
    done = 0, settings[up].blocked = settings[down].blocked = line[0] == 'b';
  else if (strcmp(line, "reset") == 0) done = reset_all();
  else if (strcmp(line, "forget") == 0) {
    done = 0;
    for (int index = 0; index < connections_max; index += 1)
      if (connections[index].used && !connections[index].forgotten) connections[index].forgotten = true, done += 1;
  } else if (strcmp(line, "stats") == 0) {
    printf("{\"up\":{\"read\":%lu,\"lost\":%lu,\"overflown\":%lu},\"down\":{\"read\":%lu,\"lost\":%lu,\"overflown\":%lu}}\n",
           (unsigned long)counts[up].read, (unsigned long)counts[up].lost, (unsigned long)counts[up].overflown,
           (unsigned long)counts[down].read, (unsigned long)counts[down].lost, (unsigned long)counts[down].overflown);
    fflush(stdout);
    return;
  }
  if (done < 0) printf("error: unknown command\n");
  else printf("%d\n", done);
  fflush(stdout);
}

/** False at the end of stdin. */
static bool read_commands(void) {
  static char text[4096];
  static size_t length;
  ssize_t count = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (count <= 0) return false;
  length += (size_t)count;
  text[length] = 0;
  char *line = text;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) *end = 0, obey(line);
  length -= (size_t)(line - text);
  memmove(text, line, length);
  return length < sizeof text - 1;
}

static int open_device(const char *name) {
  int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(file, TUNSETIFF, &request) < 0) fail(name);
  return file;
}

int main(int count, char **words) {
  if (count != 4) return fprintf(stderr, "usage: emulator SEED CLIENT_DEVICE SERVER_DEVICE\n"), 2;
  seed = strtoull(words[1], NULL, 10);
  device[up] = open_device(words[2]), device[down] = open_device(words[3]);
  printf("ready\n");
  fflush(stdout);
  static uint8_t bytes[packet_max];
  for (;;) {
    deliver_due();
    struct pollfd files[] = {{device[up], POLLIN, 0}, {device[down], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    struct timespec wait;
    if (heap_size > 0) {
      uint64_t now = now_us(), wait_us = heap[0].due_us > now ? heap[0].due_us - now : 0;
      wait.tv_sec = (time_t)(wait_us / 1000000u), wait.tv_nsec = (long)(wait_us % 1000000u) * 1000;
    }
    if (ppoll(files, 3, heap_size > 0 ? &wait : NULL, NULL) < 0 && errno != EINTR) fail("poll");
    for (int direction = up; direction <= down; direction += 1) {
      if (!(files[direction].revents & POLLIN)) continue;
      ssize_t length;
      for (int reads = 0; reads < reads_at_once && (length = read(device[direction], bytes, sizeof bytes)) > 0; reads += 1)
        take(bytes, (int)length, direction);
    }
    if ((files[2].revents & (POLLIN | POLLHUP)) && !read_commands()) return 0;
  }
}
