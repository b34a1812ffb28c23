; The thread pool: one job at a time, cut into chunks that whoever comes first claims. Which thread runs a chunk does not matter to
; the result. Layout of %pool in i64: 0 ticket (epoch:24 next:20 total:20), 8 chunks done, 16 function, 17 slots, 18 dims, 19 units,
; 24 stop, 25 whether workers stay awake without work. A claim is a compare-and-swap on the ticket, so it can only succeed while the job that was read is still open.

define i64 @brickwork_work_once(ptr %pool) {
entry:
  %ticket = load atomic i64, ptr %pool acquire, align 8
  %total = and i64 %ticket, 1048575
  %shifted = lshr i64 %ticket, 20
  %next = and i64 %shifted, 1048575
  %open = icmp ult i64 %next, %total
  br i1 %open, label %claim, label %nothing
claim:
  %p.function = getelementptr i64, ptr %pool, i64 16
  %p.slots = getelementptr i64, ptr %pool, i64 17
  %p.dims = getelementptr i64, ptr %pool, i64 18
  %p.units = getelementptr i64, ptr %pool, i64 19
  %function = load atomic ptr, ptr %p.function monotonic, align 8
  %slots = load atomic ptr, ptr %p.slots monotonic, align 8
  %dims = load atomic ptr, ptr %p.dims monotonic, align 8
  %units = load atomic i64, ptr %p.units monotonic, align 8
  %taken = add i64 %ticket, 1048576
  %swap = cmpxchg ptr %pool, i64 %ticket, i64 %taken acq_rel monotonic, align 8
  %won = extractvalue { i64, i1 } %swap, 1
  br i1 %won, label %run, label %again
run:
  %b.top = mul i64 %units, %next
  %begin = udiv i64 %b.top, %total
  %after = add i64 %next, 1
  %e.top = mul i64 %units, %after
  %end = udiv i64 %e.top, %total
  call void %function(ptr %slots, ptr %dims, i64 %begin, i64 %end)
  %p.done = getelementptr i64, ptr %pool, i64 8
  %old = atomicrmw add ptr %p.done, i64 1 release, align 8
  ret i64 1
again:
  ret i64 1
nothing:
  ret i64 0
}

define void @brickwork_parallel(ptr %pool, ptr %function, ptr %slots, ptr %dims, i64 %units, i64 %chunks) {
entry:
  %p.done = getelementptr i64, ptr %pool, i64 8
  %p.function = getelementptr i64, ptr %pool, i64 16
  %p.slots = getelementptr i64, ptr %pool, i64 17
  %p.dims = getelementptr i64, ptr %pool, i64 18
  %p.units = getelementptr i64, ptr %pool, i64 19
  store atomic i64 0, ptr %p.done monotonic, align 8
  store atomic ptr %function, ptr %p.function monotonic, align 8
  store atomic ptr %slots, ptr %p.slots monotonic, align 8
  store atomic ptr %dims, ptr %p.dims monotonic, align 8
  store atomic i64 %units, ptr %p.units monotonic, align 8
  %before = load atomic i64, ptr %pool monotonic, align 8
  %epoch = lshr i64 %before, 40
  %newer = add i64 %epoch, 1
  %high = shl i64 %newer, 40
  %ticket = or i64 %high, %chunks
  store atomic i64 %ticket, ptr %pool release, align 8
  br label %help
help:
  %did = call i64 @brickwork_work_once(ptr %pool)
  %more = icmp ne i64 %did, 0
  br i1 %more, label %help, label %wait
wait:
  %done = load atomic i64, ptr %p.done acquire, align 8
  %all = icmp uge i64 %done, %chunks
  br i1 %all, label %out, label %wait
out:
  ret void
}

define void @brickwork_worker(ptr %pool, i64 %patience) {
entry:
  %p.stop = getelementptr i64, ptr %pool, i64 24
  %p.keep = getelementptr i64, ptr %pool, i64 25
  br label %look
look:
  %idle = phi i64 [ 0, %entry ], [ 0, %busy ], [ %longer, %rest ]
  %stop = load atomic i64, ptr %p.stop monotonic, align 8
  %leave = icmp ne i64 %stop, 0
  br i1 %leave, label %out, label %try
try:
  %did = call i64 @brickwork_work_once(ptr %pool)
  %worked = icmp ne i64 %did, 0
  br i1 %worked, label %busy, label %rest
busy:
  br label %look
rest:
  %keep = load atomic i64, ptr %p.keep monotonic, align 8
  %leisure = icmp eq i64 %keep, 0
  %one = zext i1 %leisure to i64
  %longer = add i64 %idle, %one
  %tired = icmp ugt i64 %longer, %patience
  br i1 %tired, label %out, label %look
out:
  ret void
}
