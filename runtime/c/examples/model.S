/* The model file that MODEL names, on a word boundary. */
    .section .rodata
    .balign 4
    .global model_start, model_end
model_start:
    .incbin MODEL
model_end:
#ifdef __linux__
    .section .note.GNU-stack, "", %progbits
#endif
