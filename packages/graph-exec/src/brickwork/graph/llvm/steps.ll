; Many calls of a plan in one: of each argument the rows of the next batch are put where the plan reads them, then the plan runs.
; %table holds four i64 per argument: address of row 0, bytes from one row to the next, bytes of a row, and the place that rows are
; copied to, 0 where they are read as they lie. %order: the row at each position, null where that is the position itself. Gives how
; many calls were not made: none, unless one failed.

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define internal void @copy_rows(ptr %place, ptr %source, i64 %stride, i64 %bytes, ptr %order, i64 %first, i64 %rows) {
entry:
  %ordered = icmp ne ptr %order, null
  %one = icmp eq i64 %bytes, 4
  br label %row
row:
  %r = phi i64 [ 0, %entry ], [ %next, %done ]
  %position = add i64 %first, %r
  br i1 %ordered, label %look, label %found
look:
  %entry.at = getelementptr i64, ptr %order, i64 %position
  %chosen = load i64, ptr %entry.at
  br label %found
found:
  %number = phi i64 [ %position, %row ], [ %chosen, %look ]
  %from.offset = mul i64 %number, %stride
  %from = getelementptr i8, ptr %source, i64 %from.offset
  %to.offset = mul i64 %r, %bytes
  %to = getelementptr i8, ptr %place, i64 %to.offset
  br i1 %one, label %word, label %many
word:
  %value = load i32, ptr %from, align 1
  store i32 %value, ptr %to, align 1
  br label %done
many:
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 0)
  br label %done
done:
  %next = add i64 %r, 1
  %more = icmp slt i64 %next, %rows
  br i1 %more, label %row, label %out
out:
  ret void
}

define i64 @brickwork_steps(ptr %buffers, ptr %arena, ptr %dims, ptr %pool, ptr %parallel, ptr %callback, ptr %run, ptr %table,
                            i64 %arguments, ptr %order, i64 %rows, i64 %first, i64 %count) {
entry:
  br label %step
step:
  %k = phi i64 [ 0, %entry ], [ %k.next, %ran ]
  %taken = mul i64 %k, %rows
  %begin = add i64 %first, %taken
  br label %argument
argument:
  %a = phi i64 [ 0, %step ], [ %a.next, %bound ]
  %a.more = icmp slt i64 %a, %arguments
  br i1 %a.more, label %bind, label %call
bind:
  %entry.of = mul i64 %a, 4
  %p.source = getelementptr i64, ptr %table, i64 %entry.of
  %p.stride = getelementptr i64, ptr %p.source, i64 1
  %p.bytes = getelementptr i64, ptr %p.source, i64 2
  %p.place = getelementptr i64, ptr %p.source, i64 3
  %source = load ptr, ptr %p.source
  %stride = load i64, ptr %p.stride
  %bytes = load i64, ptr %p.bytes
  %place = load ptr, ptr %p.place
  %p.buffer = getelementptr ptr, ptr %buffers, i64 %a
  %lies = icmp eq ptr %place, null
  br i1 %lies, label %point, label %copy
point:
  %offset = mul i64 %begin, %stride
  %at = getelementptr i8, ptr %source, i64 %offset
  store ptr %at, ptr %p.buffer
  br label %bound
copy:
  call void @copy_rows(ptr %place, ptr %source, i64 %stride, i64 %bytes, ptr %order, i64 %begin, i64 %rows)
  store ptr %place, ptr %p.buffer
  br label %bound
bound:
  %a.next = add i64 %a, 1
  br label %argument
call:
  %status = call i64 %run(ptr %buffers, ptr %arena, ptr %dims, ptr %pool, ptr %parallel, ptr %callback)
  %failed = icmp ne i64 %status, 0
  br i1 %failed, label %stop, label %ran
ran:
  %k.next = add i64 %k, 1
  %k.more = icmp slt i64 %k.next, %count
  br i1 %k.more, label %step, label %finish
finish:
  ret i64 0
stop:
  %left = sub i64 %count, %k
  ret i64 %left
}
